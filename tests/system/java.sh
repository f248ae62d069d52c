# SPDX-License-Identifier: Apache-2.0
# java: its version, and a small program with threads.
need java
equal "version" "$(qube -- java -version 2>&1)" "$(java -version 2>&1)"
need javac
cat >M.java <<'END'
import java.util.*;
import java.util.concurrent.*;
import java.nio.file.*;
public class M {
	public static void main(String[] a) throws Exception {
		ExecutorService p = Executors.newFixedThreadPool(8);
		List<Future<Long>> l = new ArrayList<>();
		for (int i = 0; i < 50; i++) {
			final int n = i;
			l.add(p.submit(() -> { long s = 0; byte[] b = new byte[100000];
				for (int k = 0; k < 100000; k++) s += (k ^ n) + b[k]; return s; }));
		}
		long t = 0;
		for (Future<Long> f : l) t += f.get();
		p.shutdown();
		System.out.println(t);
		System.gc();
		Path f = Files.createTempFile("x", "y");
		Files.writeString(f, "data");
		System.out.println(Files.size(f));
		try (java.net.ServerSocket s = new java.net.ServerSocket(0, 5, java.net.InetAddress.getLoopbackAddress())) {
			Thread c = new Thread(() -> { try (java.net.Socket k = new java.net.Socket(s.getInetAddress(), s.getLocalPort())) {
				k.getOutputStream().write("net\n".getBytes()); } catch (Exception e) { System.out.println(e); } });
			c.start();
			System.out.println(new Scanner(s.accept().getInputStream()).nextLine());
		}
		try { Object o = null; o.hashCode(); } catch (NullPointerException e) { System.out.println("npe"); }
		Process q = new ProcessBuilder("sh", "-c", "exit 3").start();
		System.out.println(q.waitFor());
		System.exit(7);
	}
}
END
javac M.java
here=$(java -cp . M 2>&1) && st=0 || st=$?
got=$(LIMIT=120 qube --ro "$PWD:/c" -- java -cp /c M 2>&1) && st2=0 || st2=$?
equal "threads" "$got $st2" "$here $st"
