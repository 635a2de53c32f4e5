FROM golang:1.26-alpine AS build
RUN apk add --no-cache ca-certificates tzdata && mkdir -p /empty/data /empty/tmp && chmod 1777 /empty/tmp
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" -o /admit ./cmd/admit

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /usr/share/zoneinfo /usr/share/zoneinfo
COPY --from=build /empty/tmp /tmp
COPY --from=build --chown=65532:65532 /empty/data /data
COPY --from=build /admit /admit
USER 65532:65532
ENV DATA_DIR=/data
WORKDIR /data
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["/admit"]
CMD ["serve", "--host", "0.0.0.0"]
