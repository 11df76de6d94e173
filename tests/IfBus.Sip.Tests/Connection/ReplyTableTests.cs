using IfBus.Sip.Adapters.Connection;

namespace IfBus.Sip.Tests.Connection;

/// <summary>Requests that wait: each is answered, fails late, or fails with its connection, once.</summary>
public sealed class ReplyTableTests
{
    private readonly ReplyTable<Waiter> _table = new();

    [Fact]
    public void A_reply_is_taken_once_and_only_by_its_id()
    {
        var one = new Waiter(10);
        var two = new Waiter(10);
        Assert.Equal((1, 2), (_table.Add(1, one), _table.Add(2, two)));
        Assert.True(_table.TryPeek(1, out Waiter? seen) && seen == one);
        Assert.True(_table.TryTake(1, out Waiter? taken) && taken == one);
        Assert.False(_table.TryTake(1, out _));
        Assert.False(_table.TryPeek(3, out _));
        Assert.Equal(1, _table.Count);
    }

    [Fact]
    public void Only_what_is_late_fails_and_its_reply_is_nobodys_then()
    {
        var late = new Waiter(10);
        var inTime = new Waiter(11);
        _table.Add(1, late);
        _table.Add(2, inTime);
        _table.FailLate(9);
        Assert.Equal((0, 0), (late.Late, inTime.Late));
        _table.FailLate(10);
        _table.FailLate(10);
        Assert.Equal((1, 0), (late.Late, inTime.Late));
        Assert.False(_table.TryTake(1, out _));
        Assert.True(_table.TryTake(2, out _));
    }

    [Fact]
    public void The_end_of_the_connection_fails_all_and_whoever_comes_after_it()
    {
        var waiter = new Waiter(10);
        var first = new SipConnectionException("the first reason", errorId: "SipFirst");
        _table.Add(1, waiter);
        _table.Close(first);
        _table.Close(new InvalidOperationException("the second"));
        Assert.Equal([first], waiter.Failures);
        Assert.Equal(0, _table.Count);
        SipConnectionException error = Assert.Throws<SipConnectionException>(() => _table.Add(2, new Waiter(10)));
        Assert.Equal(("SipFirst", true, (Exception)first), (error.ErrorId, error.NothingDone, error.InnerException!));
    }

    private sealed class Waiter(long deadline) : IReplyWaiter
    {
        public long Deadline => deadline;

        public int Late { get; private set; }

        public List<Exception> Failures { get; } = [];

        public void FailLate() => Late++;

        public void Fail(Exception reason) => Failures.Add(reason);
    }
}
