// Command grpc-go is the other side of src/net/grpc/interop_test.cc: the same test methods as a grpc-go server, and
// a grpc-go client that checks ours. Messages are raw bytes.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/golang/snappy"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

type raw struct{}

func (raw) Marshal(v any) ([]byte, error)      { return *(v.(*[]byte)), nil }
func (raw) Unmarshal(data []byte, v any) error { *(v.(*[]byte)) = append([]byte{}, data...); return nil }
func (raw) Name() string                       { return "raw" }

// Framed snappy under the name that Thanos uses.
type snappyCompressor struct{}

func (snappyCompressor) Name() string { return "snappy" }
func (snappyCompressor) Compress(w io.Writer) (io.WriteCloser, error) {
	return snappy.NewBufferedWriter(w), nil
}
func (snappyCompressor) Decompress(r io.Reader) (io.Reader, error) { return snappy.NewReader(r), nil }

func init() { encoding.RegisterCompressor(snappyCompressor{}) }

// ---- server

func handle(_ any, stream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(stream)
	var m []byte
	switch method {
	case "/t.Test/Echo":
		if err := stream.RecvMsg(&m); err != nil {
			return err
		}
		return stream.SendMsg(&m)
	case "/t.Test/Chat":
		for {
			if err := stream.RecvMsg(&m); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			if err := stream.SendMsg(&m); err != nil {
				return err
			}
		}
	case "/t.Test/Stream":
		if err := stream.RecvMsg(&m); err != nil {
			return err
		}
		var count, size int
		fmt.Sscanf(string(m), "%d %d", &count, &size)
		answer := []byte(strings.Repeat("x", size))
		for range count {
			if err := stream.SendMsg(&answer); err != nil {
				return err
			}
		}
		return nil
	case "/t.Test/Sum":
		sum := 0
		for {
			if err := stream.RecvMsg(&m); err == io.EOF {
				m = []byte(strconv.Itoa(sum))
				return stream.SendMsg(&m)
			} else if err != nil {
				return err
			}
			sum += len(m)
		}
	case "/t.Test/Wait":
		<-stream.Context().Done()
		return status.FromContextError(stream.Context().Err()).Err()
	case "/t.Test/Fail":
		return status.Error(codes.Aborted, "partial: 50% of \u00e9\n")
	case "/t.Test/Meta":
		md, _ := metadata.FromIncomingContext(stream.Context())
		m = []byte(strings.Join(md.Get("thanos-tenant"), ",") + "|" + fmt.Sprintf("%q", md.Get("trace-bin")))
		return stream.SendMsg(&m)
	}
	return status.Error(codes.Unimplemented, "unknown method "+method)
}

func serve(cert, key, ca string, maxAge time.Duration) error {
	options := []grpc.ServerOption{
		grpc.UnknownServiceHandler(handle), grpc.ForceServerCodec(raw{}), grpc.MaxRecvMsgSize(1 << 30), grpc.MaxSendMsgSize(1 << 30),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second}),
	}
	if maxAge > 0 {
		options = append(options, grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: maxAge}))
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return err
		}
		config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13}
		if ca != "" {
			config.ClientAuth = tls.RequireAndVerifyClientCert
			config.ClientCAs = pool(ca)
		}
		options = append(options, grpc.Creds(credentials.NewTLS(config)))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	server := grpc.NewServer(options...)
	go func() { // the test closes our standard input when it is done
		io.Copy(io.Discard, os.Stdin)
		server.Stop()
	}()
	return server.Serve(listener)
}

func pool(file string) *x509.CertPool {
	pem, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(pem)
	return p
}

// ---- client

func expect(ok bool, format string, args ...any) {
	if !ok {
		panic(fmt.Sprintf(format, args...))
	}
}

func invoke(c *grpc.ClientConn, method, request string, options ...grpc.CallOption) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	in, out := []byte(request), []byte{}
	err := c.Invoke(ctx, "/t.Test/"+method, &in, &out, options...)
	return string(out), err
}

func stream(ctx context.Context, c *grpc.ClientConn, method string, options ...grpc.CallOption) grpc.ClientStream {
	s, err := c.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/t.Test/"+method, options...)
	expect(err == nil, "start %s: %v", method, err)
	return s
}

func send(s grpc.ClientStream, m string) error { b := []byte(m); return s.SendMsg(&b) }
func recv(s grpc.ClientStream) (string, error) { var b []byte; err := s.RecvMsg(&b); return string(b), err }

func checkCalls(c *grpc.ClientConn, options ...grpc.CallOption) {
	for _, size := range []int{0, 1, 1000, 100_000, 5 << 20} {
		m := strings.Repeat("0123456789", size/10)
		got, err := invoke(c, "Echo", m, options...)
		expect(err == nil && got == m, "echo of %d bytes: %v", size, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	s := stream(ctx, c, "Stream", options...)
	send(s, "2000 10000")
	s.CloseSend()
	n := 0
	for {
		m, err := recv(s)
		if err == io.EOF {
			break
		}
		expect(err == nil && len(m) == 10000, "stream: %v", err)
		n++
	}
	expect(n == 2000, "stream gave %d messages", n)
	s = stream(ctx, c, "Sum", options...)
	for i := range 2000 {
		expect(send(s, strings.Repeat("y", i)) == nil, "send")
	}
	s.CloseSend()
	m, err := recv(s)
	expect(err == nil && m == "1999000", "sum is %q: %v", m, err)
	s = stream(ctx, c, "Chat", options...)
	for i := range 500 {
		send(s, strconv.Itoa(i))
		m, err := recv(s)
		expect(err == nil && m == strconv.Itoa(i), "chat %d: %q %v", i, m, err)
	}
	s.CloseSend()
	_, err = recv(s)
	expect(err == io.EOF, "end of chat: %v", err)
}

func checkEnds(c *grpc.ClientConn) {
	_, err := invoke(c, "Fail", "")
	expect(status.Code(err) == codes.Aborted && status.Convert(err).Message() == "partial: 50% of \u00e9\n", "fail: %v", err)
	_, err = invoke(c, "None", "")
	expect(status.Code(err) == codes.Unimplemented && status.Convert(err).Message() == "unknown method None for service t.Test", "none: %v", err)

	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	_, err = recv(stream(ctx, c, "Wait"))
	expect(status.Code(err) == codes.DeadlineExceeded, "deadline: %v", err)
	cancel()
	ctx, cancel = context.WithCancel(context.Background())
	s := stream(ctx, c, "Wait")
	cancel()
	_, err = recv(s)
	expect(status.Code(err) == codes.Canceled, "cancel: %v", err)

	ctx = metadata.AppendToOutgoingContext(context.Background(), "THANOS-TENANT", "team-a", "trace-bin", "\x00\xff")
	var in, out []byte
	err = c.Invoke(ctx, "/t.Test/Meta", &in, &out)
	expect(err == nil && string(out) == `team-a|["\x00\xff"]`, "metadata: %s %v", out, err)
}

func checkMany(c *grpc.ClientConn) {
	var group sync.WaitGroup
	for range 100 {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := range 50 {
				m := strings.Repeat("z", i*100)
				got, err := invoke(c, "Echo", m)
				expect(err == nil && got == m, "echo: %v", err)
			}
		}()
	}
	group.Wait()
}

func check(address, cert, key, ca string) error {
	creds := insecure.NewCredentials()
	if ca != "" {
		config := &tls.Config{RootCAs: pool(ca), MinVersion: tls.VersionTLS13}
		if cert != "" {
			pair, err := tls.LoadX509KeyPair(cert, key)
			if err != nil {
				return err
			}
			config.Certificates = []tls.Certificate{pair}
		}
		creds = credentials.NewTLS(config)
	}
	c, err := grpc.NewClient(address, grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{}), grpc.MaxCallRecvMsgSize(1<<30), grpc.MaxCallSendMsgSize(1<<30)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 5 * time.Second}))
	if err != nil {
		return err
	}
	defer c.Close()
	checkCalls(c)
	checkCalls(c, grpc.UseCompressor("gzip"))
	checkCalls(c, grpc.UseCompressor("snappy"))
	checkEnds(c)
	checkMany(c)
	fmt.Println("ok")
	return nil
}

// Measures 1 MB frames, small frames and unary calls against a server.
func bench(address string) error {
	c, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{}), grpc.MaxCallRecvMsgSize(1<<30)))
	if err != nil {
		return err
	}
	for _, request := range []string{"4000 1000000", "2000000 200"} {
		begin := time.Now()
		s := stream(context.Background(), c, "Stream")
		send(s, request)
		s.CloseSend()
		bytes, n := 0, 0
		for {
			m, err := recv(s)
			if err != nil {
				break
			}
			bytes += len(m)
			n++
		}
		d := time.Since(begin).Seconds()
		fmt.Printf("%s: %.0f MB/s, %.0f messages/s\n", request, float64(bytes)/d/1e6, float64(n)/d)
	}
	begin := time.Now()
	for range 20000 {
		invoke(c, "Echo", "x")
	}
	fmt.Printf("unary: %.1f us\n", time.Since(begin).Seconds()/20000*1e6)
	return nil
}

func main() {
	cert := flag.String("cert", "", "certificate file")
	key := flag.String("key", "", "key file")
	ca := flag.String("ca", "", "authority file: of clients for a server, of the server for a client")
	maxAge := flag.Duration("max-age", 0, "age at which the server ends a connection")
	flag.Parse()
	var err error
	switch flag.Arg(0) {
	case "serve":
		err = serve(*cert, *key, *ca, *maxAge)
	case "check":
		err = check(flag.Arg(1), *cert, *key, *ca)
	case "bench":
		err = bench(flag.Arg(1))
	default:
		err = fmt.Errorf("usage: grpc-go [flags] serve | check ADDRESS | bench ADDRESS")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
