// The other side of GrpcInteropTest's JavaScript cases: `peer.js check ADDRESS` calls our server, `peer.js serve` answers
// our client. Messages are raw bytes.
const grpc = require('@grpc/grpc-js');

const same = x => x;
const method = (name, requestStream, responseStream) => ({
  path: `/t.Test/${name}`, requestStream, responseStream,
  requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same,
});
const service = {
  Echo: method('Echo', false, false), Stream: method('Stream', false, true),
  Sum: method('Sum', true, false), Chat: method('Chat', true, true), Fail: method('Fail', false, false),
  Wait: method('Wait', false, true),
};
const options = {'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1};

function expect(ok, what) {
  if (ok) return;
  console.log(what);
  process.exit(1);
}

async function check(address) {
  for (const algorithm of [0, 2]) {  // plain, gzip
    const Client = grpc.makeGenericClientConstructor(service, 't.Test');
    const client = new Client(address, grpc.credentials.createInsecure(),
                              {...options, 'grpc.default_compression_algorithm': algorithm});
    const unary = (name, bytes) => new Promise(done => client[name](bytes, (error, answer) => done({error, answer})));
    for (const size of [0, 1, 100000, 5 << 20]) {
      const {error, answer} = await unary('Echo', Buffer.alloc(size, 'e'));
      expect(!error && answer.length === size, `echo of ${size}: ${error}`);
    }
    const {error} = await unary('Fail', Buffer.alloc(0));
    expect(error.code === grpc.status.ABORTED && error.details === 'partial: 50% of \u00e9\n', `fail: ${error}`);
    let count = 0;
    for await (const message of client.Stream(Buffer.from('2000 10000'))) count += message.length === 10000;
    expect(count === 2000, `stream: ${count}`);
    const sum = await new Promise(done => {
      const call = client.Sum((e, answer) => done(String(answer)));
      for (let i = 0; i < 500; ++i) call.write(Buffer.alloc(i));
      call.end();
    });
    expect(sum === '124750', `sum: ${sum}`);
    const chat = client.Chat();
    let turn = 0;
    chat.write(Buffer.from('0'));
    for await (const message of chat) {
      expect(String(message) === String(turn), `chat: ${message}`);
      if (++turn === 200) chat.end(); else if (turn < 200) chat.write(Buffer.from(String(turn)));
    }
    expect(turn === 200, `chat turns: ${turn}`);
    const wait = client.Wait(Buffer.alloc(0), new grpc.Metadata(), {deadline: Date.now() + 50});
    const ended = await new Promise(done => { wait.on('error', done); wait.on('data', () => {}); });
    expect(ended.code === grpc.status.DEADLINE_EXCEEDED, `deadline: ${ended}`);
    client.close();
  }
  console.log('ok');
}

function serve() {
  const server = new grpc.Server(options);
  server.addService(service, {
    Echo: (call, done) => done(null, call.request),
    Fail: (call, done) => done({code: grpc.status.ABORTED, details: 'partial: 50% of \u00e9\n'}),
    Stream: async call => {
      const [count, size] = String(call.request).split(' ').map(Number);
      const answer = Buffer.alloc(size, 'x');
      for (let i = 0; i < count; ++i) if (!call.write(answer)) await new Promise(go => call.once('drain', go));
      call.end();
    },
    Sum: (call, done) => {
      let sum = 0;
      call.on('data', message => { sum += message.length; });
      call.on('end', () => done(null, Buffer.from(String(sum))));
    },
    Chat: call => { call.on('data', message => call.write(message)); call.on('end', () => call.end()); },
    Wait: () => {},
  });
  server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => console.log(port));
  process.stdin.on('end', () => process.exit(0));
  process.stdin.resume();
}

process.argv[2] === 'serve' ? serve() : check(process.argv[3]);
