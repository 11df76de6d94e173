using System.Buffers;
using System.Text;
using IfBus.Sip.Adapters.Connection;

namespace IfBus.Sip.Tests.Connection;

/// <summary>Commands leave whole, in the order in which they were given, or not at all.</summary>
public sealed class WriteLaneTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly SlowStream _stream = new();
    private readonly List<Exception> _failures = [];

    public void Dispose() => _stream.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Commands_of_many_leave_whole_and_in_the_order_in_which_they_were_encoded(bool gather)
    {
        WriteLane lane = Lane();
        var order = new List<int>();
        _stream.Open();
        Task[] senders = [.. Enumerable.Range(0, 8).Select(sender => Task.Run(() =>
        {
            for (int i = 0; i < 200; i++)
            {
                lane.Send((sender * 1000) + i, (writer, n) =>
                {
                    // Under the lane's lock.
                    order.Add(n);
                    writer.Write(Encoding.ASCII.GetBytes($"<{n}"));
                    writer.Write(">"u8);
                }, gather);
            }
        }))];
        await Task.WhenAll(senders).WaitAsync(Limit);
        string expected = string.Concat(order.Select(n => $"<{n}>"));
        await Support.Until.TrueAsync(() => _stream.Written.Length == expected.Length);
        Assert.Equal(expected, _stream.Written);
        Assert.Null(lane.Progress);
    }

    [Fact]
    public async Task What_is_given_while_the_socket_takes_something_leaves_in_one_write()
    {
        WriteLane lane = Lane();
        Say(lane, "first");
        for (int i = 0; i < 5; i++) Say(lane, "more");
        Assert.Equal(0, lane.Progress);
        _stream.Open();
        await Support.Until.TrueAsync(() => lane.Progress is null);
        Assert.Equal(["first", "moremoremoremoremore"], _stream.Writes);
    }

    [Fact]
    public async Task A_command_that_cannot_be_encoded_leaves_nothing_behind()
    {
        WriteLane lane = Lane();
        Say(lane, "first");
        Say(lane, "second");
        Assert.Throws<InvalidOperationException>(() => lane.Send("half", static (writer, text) =>
        {
            writer.Write(Encoding.ASCII.GetBytes(text));
            throw new InvalidOperationException("cannot");
        }));
        Say(lane, "third");
        _stream.Open();
        await Support.Until.TrueAsync(() => lane.Progress is null);
        Assert.Equal("firstsecondthird", _stream.Written);
        Assert.Empty(_failures);
    }

    [Fact]
    public async Task What_does_not_fit_is_refused_and_the_rest_leaves()
    {
        WriteLane lane = Lane(most: 10);
        Say(lane, "taken by the socket");
        Say(lane, "waits, and is too long");
        SipConnectionException error = Assert.Throws<SipConnectionException>(() => Say(lane, "x"));
        Assert.Equal(("SipServerDoesNotRead", true), (error.ErrorId, error.NothingDone));
        _stream.Open();
        await Support.Until.TrueAsync(() => lane.Progress is null);
        Say(lane, "again");
        await Support.Until.TrueAsync(() => lane.Progress is null);
        Assert.Equal("taken by the socketwaits, and is too longagain", _stream.Written);
    }

    [Fact]
    public async Task Large_batches_go_in_pieces_whose_progress_is_seen()
    {
        WriteLane lane = Lane();
        lane.Send(0, static (writer, _) => writer.Write(new byte[600 * 1024]));
        Assert.Equal(0, lane.Progress);
        _stream.Open(1);
        await Support.Until.TrueAsync(() => lane.Progress == 1);
        _stream.Open();
        await Support.Until.TrueAsync(() => lane.Progress is null);
        Assert.Equal([256 * 1024, 256 * 1024, 88 * 1024], _stream.Writes.Select(w => w.Length));
    }

    [Fact]
    public async Task A_stream_that_fails_is_told_once_and_closes_the_lane()
    {
        WriteLane lane = Lane();
        var broken = new IOException("broken pipe");
        _stream.Fail(broken);
        Say(lane, "first");
        await Support.Until.TrueAsync(() => _failures.Count > 0);
        Assert.Equal([broken], _failures);
        Assert.Same(broken, Assert.Throws<SipConnectionException>(() => Say(lane, "x")).InnerException);
        Assert.Null(lane.Progress);
    }

    [Fact]
    public void A_closed_lane_refuses_with_the_first_reason()
    {
        WriteLane lane = Lane();
        lane.Close(new IOException("the first reason"));
        lane.Close(new IOException("another"));
        SipConnectionException error = Assert.Throws<SipConnectionException>(() => Say(lane, "x"));
        Assert.True(error.NothingDone);
        Assert.Contains("the first reason", error.Message, StringComparison.Ordinal);
        Assert.Empty(_stream.Writes);
    }

    private static void Say(WriteLane lane, string text) => lane.Send(text, static (writer, t) => writer.Write(Encoding.ASCII.GetBytes(t)));

    private WriteLane Lane(int most = 1_000_000) => new(_stream, most, _failures.Add);

    /// <summary>Takes what is written when it is opened.</summary>
    private sealed class SlowStream : MemoryStream
    {
        private readonly SemaphoreSlim _open = new(0);
        private Exception? _failure;

        public List<string> Writes { get; } = [];

        public string Written
        {
            get
            {
                lock (Writes) return string.Concat(Writes);
            }
        }

        public void Open(int writes = 1_000_000) => _open.Release(writes);

        public void Fail(Exception failure)
        {
            _failure = failure;
            Open();
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await _open.WaitAsync(cancellationToken);
            if (_failure is not null) throw _failure;
            lock (Writes) Writes.Add(Encoding.ASCII.GetString(buffer.Span));
        }
    }
}
