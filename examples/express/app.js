// A board of jobs, whose people Admit keeps: see docs/javascript.md.

import { fileURLToPath } from "node:url";
import express from "express";
import { guards } from "admit-client/express";
import { createVerifier } from "admit-client/server";

const { ADMIT_URL = "http://localhost:8000", PORT = "3000" } = process.env;

const admit = createVerifier(ADMIT_URL);
const { requireUser, requireGlobalRole, requireFresh, requirePermission } = guards(admit);
const org = (req) => req.params.org;

let jobs = [];
const app = express();
app.use(express.json());

app.get("/me", requireUser, (req, res) => {
  res.json(req.user);
});

app.get("/orgs/:org/jobs", requirePermission("view_jobs", { org }), (req, res) => {
  res.json(jobs.filter((job) => job.org === org(req)));
});

app.post("/orgs/:org/jobs", requirePermission("post_job", { org }), (req, res) => {
  const job = { org: org(req), title: String(req.body?.title), by: req.user.id };
  jobs.push(job);
  res.status(201).json(job);
});

app.delete("/jobs", requireGlobalRole("super_admin"), requireFresh(600), (req, res) => {
  jobs = [];
  res.sendStatus(204);
});

// the page, what it imports, and where Admit is
app.use(express.static(fileURLToPath(new URL("public", import.meta.url))));
app.use("/admit-client", express.static(fileURLToPath(new URL(".", import.meta.resolve("admit-client")))));
app.get("/settings.json", (req, res) => {
  res.json({ url: ADMIT_URL });
});

const server = app.listen(Number(PORT), () => console.log(`http://localhost:${PORT}`));
process.on("SIGTERM", () => {
  admit.close();
  server.close();
  server.closeAllConnections();
});
