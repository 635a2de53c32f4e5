package secret

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"
)

func TestWorkersHaveTheLowestPriorityAndTakeItWithThem(t *testing.T) {
	q := newQueue(1, 1, time.Minute)
	var thread, priority int
	err := q.do(t.Context(), func() (err error) {
		thread = syscall.Gettid()
		priority, err = syscall.Getpriority(syscall.PRIO_PROCESS, thread)
		return err
	})
	if err != nil || priority != 20-19 { // the system call counts from 20 down
		t.Errorf("priority %d, %v", priority, err)
	}
	q.close()
	if thread == os.Getpid() {
		t.Skip("the first thread of a process stays")
	}
	for {
		if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", thread)); os.IsNotExist(err) {
			return
		}
		runtime.Gosched()
	}
}
