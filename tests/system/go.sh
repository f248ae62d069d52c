# SPDX-License-Identifier: Apache-2.0
# A static Go program: goroutines, garbage collection, loopback.
need go
cat >m.go <<'END'
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
)

func serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			s := bufio.NewScanner(c)
			for s.Scan() {
				fmt.Fprintln(c, "<"+s.Text()+">")
			}
		}()
	}
}

func main() {
	var wg sync.WaitGroup
	var mu sync.Mutex
	total := 0
	for i := 0; i < 1000; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			b := make([]byte, 10000)
			b[i] = 1
			mu.Lock()
			total += i
			mu.Unlock()
		}(i)
	}
	wg.Wait()
	runtime.GC()
	fmt.Println(total)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	go serve(l)
	for i := 0; i < 20; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				panic(err)
			}
			defer c.Close()
			fmt.Fprintf(c, "hello %d\n", i)
			s, _ := bufio.NewReader(c).ReadString('\n')
			if s != fmt.Sprintf("<hello %d>\n", i) {
				panic(s)
			}
		}(i)
	}
	wg.Wait()
	out, err := exec.Command("sh", "-c", "echo child; exit 3").Output()
	fmt.Print(string(out), err, "\n")
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	fmt.Println(<-ch)
	select {
	case <-time.After(5 * time.Millisecond):
		fmt.Println("timer")
	}
	f, _ := os.CreateTemp("", "x")
	f.WriteString("data")
	st, _ := f.Stat()
	fmt.Println(st.Size(), runtime.NumCPU() > 0)
	// A busy goroutine is interrupted by a signal.
	go func() {
		for {
		}
	}()
	runtime.Gosched()
	runtime.GC()
	defer func() {
		fmt.Println("recovered:", recover())
		os.Exit(4)
	}()
	var p *int
	*p = 1
}
END
CGO_ENABLED=0 GOFLAGS=-mod=mod GO111MODULE=off GOCACHE=$PWD/cache go build -o prog m.go
here=$(./prog 2>&1) && st=0 || st=$?
got=$(qube --ro "$PWD/prog:/prog" -- /prog 2>&1) && st2=0 || st2=$?
equal "go" "$got $st2" "$here $st"
