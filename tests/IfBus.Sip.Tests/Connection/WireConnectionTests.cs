using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Connection;

/// <summary>One connection: however its bytes come, the protocol gets all of them, and its end has one reason.</summary>
public sealed class WireConnectionTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(1, 3)]
    [InlineData(1000, 7)]
    [InlineData(50_000, 200_000)]
    [InlineData(1_000_000, 300_000)]
    public async Task The_protocol_gets_every_byte_and_what_it_leaves_comes_again(int piece, int message)
    {
        byte[] bytes = [.. Enumerable.Range(0, piece == 1 ? 2_000 : 1_500_000).Select(i => (byte)(i * 31))];
        var ends = new List<int>();
        for (int at = 0; at < bytes.Length;) ends.Add(at = Math.Min(at + piece, bytes.Length));
        var protocol = new Fixed(message);
        await using var connection = new WireConnection(new CutStream(bytes, ends), protocol);
        connection.Begin();
        SipConnectionException reason = Assert.IsType<SipConnectionException>(await connection.Closed.WaitAsync(Limit));
        Assert.True(protocol.Taken.SequenceEqual(bytes[..(bytes.Length / message * message)]));
        Assert.Equal(bytes.Length, connection.Received);
        Assert.Equal(bytes.Length % message == 0 ? "The server closed the connection." : "The server closed the connection in the middle of a message.", reason.Message);
        Assert.Equal([reason], protocol.Ends);
    }

    [Fact]
    public async Task The_first_reason_is_the_one_that_all_get()
    {
        var protocol = new Fixed(1);
        var connection = new WireConnection(new Silence(), protocol);
        connection.Begin();
        var first = new SipConnectionException("first");
        connection.Abort(first);
        connection.Abort(new SipConnectionException("second"));
        await connection.DisposeAsync();
        Assert.Same(first, await connection.Closed);
        Assert.Equal([first], protocol.Ends);
        Assert.Same(first, Assert.Throws<SipConnectionException>(() => connection.Send("x", static (_, _) => { })).InnerException);
    }

    [Fact]
    public async Task What_the_protocol_throws_ends_the_connection_with_it()
    {
        var wrong = new SipProtocolException("not of this protocol");
        var protocol = new Fixed(1) { Throws = wrong };
        await using var connection = new WireConnection(new CutStream("x"u8.ToArray(), [1]), protocol);
        connection.Begin();
        Assert.Same(wrong, await connection.Closed.WaitAsync(Limit));
    }

    [Fact]
    public async Task A_peer_that_takes_nothing_for_so_long_is_given_up_and_one_that_takes_something_is_not()
    {
        using var stream = new Silence();
        await using var connection = new WireConnection(stream, new Fixed(1));
        connection.Begin();
        void Check(int milliseconds) => connection.CheckWriting(milliseconds, TimeSpan.FromSeconds(1), "peer");
        Check(0);
        Check(100_000);
        // Nothing waited to be sent. Now something does.
        connection.Send(0, static (writer, _) => writer.Advance(writer.GetSpan(600 * 1024).Length));
        Check(200_000);
        Check(200_999);
        stream.Take();
        await Until.TrueAsync(() => stream.Writes == 2);
        Check(201_500);
        Check(202_499);
        Assert.False(connection.Closed.IsCompleted);
        Check(202_500);
        SipConnectionException reason = Assert.IsType<SipConnectionException>(await connection.Closed.WaitAsync(Limit));
        Assert.Equal("SipServerDoesNotRead", reason.ErrorId);
    }

    /// <summary>Takes messages of one length.</summary>
    private sealed class Fixed(int length) : IWireProtocol
    {
        public List<byte> Taken { get; } = [];

        public List<Exception> Ends { get; } = [];

        public Exception? Throws { get; init; }

        public int OnReceived(ReadOnlySpan<byte> buffer)
        {
            if (Throws is not null) throw Throws;
            int whole = buffer.Length / length * length;
            Taken.AddRange(buffer[..whole]);
            return whole;
        }

        public void OnClosed(Exception reason) => Ends.Add(reason);
    }

    /// <summary>Says nothing, and takes what is written when it is told to.</summary>
    private sealed class Silence : MemoryStream
    {
        private readonly SemaphoreSlim _take = new(0);
        private readonly CancellationTokenSource _end = new();

        public int Writes { get; private set; }

        public void Take() => _take.Release();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.WhenAny(Task.Delay(Timeout.Infinite, _end.Token));
            throw new ObjectDisposedException(nameof(Silence));
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Writes++;
            await _take.WaitAsync(_end.Token);
        }

        protected override void Dispose(bool disposing)
        {
            _end.Cancel();
            base.Dispose(disposing);
        }
    }
}
