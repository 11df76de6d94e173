using IfBus.Sip.Adapters;
using IfBus.Sip.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace IfBus.Sip.Tests.Limits;

/// <summary>What is held back by limits, and who leaves first.</summary>
public sealed class CallGateTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Without_limits_nobody_needs_a_slot()
    {
        using CallGate gate = Gate(null, null);
        Assert.False(gate.IsLimited);
        Assert.Null(Entered(gate.EnterAsync(0.5, () => throw new InvalidOperationException("checked"), default).AsTask()));
        Assert.Equal((null, null, 0, false), gate.Read());
    }

    [Fact]
    public async Task Who_waits_leaves_by_weight_then_in_order()
    {
        using CallGate gate = Gate(1, null);
        CallSlot first = Entered(gate.EnterAsync(0.5, Fine, default).AsTask())!;
        SipRelationship[] come = [SipRelationship.None, SipRelationship.Friend, SipRelationship.RulerSubject, SipRelationship.None, SipRelationship.Sibling, SipRelationship.Spouse, SipRelationship.ParentChild, SipRelationship.RulerSubject];
        var left = new List<int>();
        Task[] waiting = [.. come.Select((r, i) => LeaveAsync(gate, r, i, left))];
        Assert.Equal((1, null, come.Length, true), gate.Read());
        Assert.Empty(left);
        first.Release();
        await Task.WhenAll(waiting);
        Assert.Equal([2, 7, 6, 5, 4, 1, 0, 3], left);
        Assert.Equal((1, null, 0, false), gate.Read());
    }

    [Fact]
    public void The_weights_are_what_they_are_said_to_be() => Assert.Equal(
        [0.50, 0.70, 0.75, 0.80, 0.85, 0.95],
        new[] { SipRelationship.None, SipRelationship.Friend, SipRelationship.Sibling, SipRelationship.Spouse, SipRelationship.ParentChild, SipRelationship.RulerSubject }.Select(r => r.Weight()));

    [Fact]
    public async Task Cancelling_takes_it_out_at_once()
    {
        using CallGate gate = Gate(1, null);
        CallSlot first = Entered(gate.EnterAsync(0.5, Fine, default).AsTask())!;
        using var stop = new CancellationTokenSource();
        Task<CallSlot?> given = gate.EnterAsync(0.95, Fine, stop.Token).AsTask();
        Task<CallSlot?> other = gate.EnterAsync(0.5, Fine, default).AsTask();
        await stop.CancelAsync();
        Assert.Equal(1, gate.Read().Waiting);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        first.Release();
        Assert.NotNull(await other);
    }

    [Fact]
    public async Task Who_need_not_wait_is_not_checked_and_who_is_bad_does_not_wait()
    {
        using CallGate gate = Gate(1, null);
        Entered(gate.EnterAsync(0.5, () => throw new InvalidOperationException("checked"), default).AsTask());
        await Assert.ThrowsAsync<SipArgumentException>(async () => await gate.EnterAsync(0.5, () => throw new SipArgumentException("To", "?", "no."), default));
        Assert.Equal(0, gate.Read().Waiting);
    }

    [Theory]
    [InlineData(1, 1, 1000)]
    [InlineData(5, 5, 1000)]
    [InlineData(2.5, 3, 1200)]
    [InlineData(0.5, 1, 2000)]
    public void No_window_sees_more_than_the_rate(double rate, int most, int windowMilliseconds)
    {
        using CallGate gate = Gate(null, rate);
        var left = new List<long>();
        var waiting = new List<Task>();
        for (int i = 0; i < 4 * most; i++) waiting.Add(NoteAsync(gate, left));
        long end = _time.GetTimestamp() + TimeSpan.FromMilliseconds(4.5 * windowMilliseconds).Ticks;
        while (_time.GetTimestamp() < end)
        {
            // All who were let through note it before the clock goes on: it would be a later time else.
            Assert.True(SpinWait.SpinUntil(() => Noted(left) == waiting.Count - gate.Read().Waiting, TimeSpan.FromSeconds(30)));
            lock (left) Assert.True(left.Count(t => _time.GetElapsedTime(t) < TimeSpan.FromMilliseconds(windowMilliseconds)) <= most);
            _time.Advance(TimeSpan.FromMilliseconds(10));
        }

        // Not fewer either: by the timer, without anybody who asks.
        Assert.True(SpinWait.SpinUntil(() => waiting.TrueForAll(t => t.IsCompletedSuccessfully), TimeSpan.FromSeconds(30)));
        Assert.Equal(4 * most, left.Count);
    }

    [Fact]
    public void What_was_not_used_does_not_count_for_the_rate()
    {
        using CallGate gate = Gate(null, 1);
        for (int i = 0; i < 100; i++) Entered(gate.EnterAsync(0.5, Fine, default).AsTask())!.Release(unused: true);
        CallSlot used = Entered(gate.EnterAsync(0.5, Fine, default).AsTask())!;
        used.Release();
        Assert.False(gate.EnterAsync(0.5, Fine, default).AsTask().IsCompleted);
    }

    [Fact]
    public async Task Limits_can_be_changed_and_taken_away()
    {
        using CallGate gate = Gate(1, null);
        Entered(gate.EnterAsync(0.5, Fine, default).AsTask());
        Task<CallSlot?>[] waiting = [.. Enumerable.Range(0, 5).Select(_ => gate.EnterAsync(0.5, Fine, default).AsTask())];
        gate.SetLimits(3, null);
        Assert.Equal((3, null, 3, true), gate.Read());
        gate.SetLimits(null, null);
        await Task.WhenAll(waiting);
        Assert.False(gate.IsLimited);
        // Those that live count when there is a limit again.
        gate.SetLimits(6, null);
        Assert.True(gate.Read().Full);
        gate.SetLimits(7, null);
        Assert.False(gate.Read().Full);
    }

    [Fact]
    public void Calls_from_before_the_limit_count()
    {
        using CallGate gate = Gate(null, null);
        Call[] calls = [new(null), new(null)];
        foreach (Call call in calls) gate.Came(call);
        gate.SetLimits(2, null);
        Task<CallSlot?> next = gate.EnterAsync(0.5, Fine, default).AsTask();
        Assert.False(next.IsCompleted);
        gate.Left(calls[0]);
        Assert.NotNull(Entered(next));
    }

    [Fact]
    public async Task When_the_connection_is_lost_all_who_wait_are_told_that_nothing_was_sent()
    {
        using CallGate gate = Gate(1, 1);
        Entered(gate.EnterAsync(0.5, Fine, default).AsTask());
        Task<CallSlot?> waiting = gate.EnterAsync(0.5, Fine, default).AsTask();
        gate.Close("the cable is out");
        foreach (Func<Task> fails in new Func<Task>[] { () => waiting, async () => await gate.EnterAsync(0.5, Fine, default) })
        {
            SipConnectionException e = await Assert.ThrowsAsync<SipConnectionException>(fails);
            Assert.True(e is { NothingDone: true, OutcomeUnknown: false, Server: "s" });
            Assert.Contains("was not placed. Nothing was sent.", e.Message, StringComparison.Ordinal);
        }

        gate.Open();
        Assert.False(gate.EnterAsync(0.5, Fine, default).AsTask().IsCompleted);
    }

    [Fact]
    public async Task No_slot_leaks_in_ten_thousand_random_steps()
    {
        const int Most = 7;
        using CallGate gate = Gate(Most, 1000);
        var random = new Random(20261124);
        var inside = new List<(CallSlot Slot, Call? Call)>();
        var waiting = new List<(Task<CallSlot?> Task, CancellationTokenSource Stop)>();
        for (int step = 0; step < 10_000; step++)
        {
            switch (random.Next(6))
            {
                case 0 or 1:
                    var stop = new CancellationTokenSource();
                    waiting.Add((gate.EnterAsync(random.NextDouble(), Fine, stop.Token).AsTask(), stop));
                    break;
                case 2 when waiting.Count > 0:
                    await waiting[random.Next(waiting.Count)].Stop.CancelAsync();
                    break;
                case 3 when inside.Count > 0:
                    // It gets into the table, and ends there, perhaps before whoever asked has seen it.
                    int i = random.Next(inside.Count);
                    (CallSlot slot, Call? call) = inside[i];
                    if (call is null)
                    {
                        call = new Call(slot);
                        gate.Came(call);
                        inside[i] = (slot, call);
                    }
                    else
                    {
                        gate.Left(call);
                        gate.Left(call);
                        inside.RemoveAt(i);
                    }

                    break;
                case 4 when inside.Count > 0:
                    int failed = random.Next(inside.Count);
                    if (inside[failed].Call is not null) break;
                    inside[failed].Slot.Release(unused: random.Next(2) == 0);
                    inside.RemoveAt(failed);
                    break;
                default:
                    _time.Advance(TimeSpan.FromMilliseconds(random.Next(5)));
                    break;
            }

            for (int w = waiting.Count - 1; w >= 0; w--)
            {
                if (!waiting[w].Task.IsCompleted) continue;
                // A slot that was given just before the cancelling is a slot.
                if (waiting[w].Task.IsCompletedSuccessfully) inside.Add(((await waiting[w].Task)!, null));
                waiting[w].Stop.Dispose();
                waiting.RemoveAt(w);
            }

            Assert.True(inside.Count <= Most);
        }

        foreach ((_, CancellationTokenSource stop) in waiting) await stop.CancelAsync();
        foreach ((Task<CallSlot?> task, CancellationTokenSource stop) in waiting)
        {
            try
            {
                (await task)!.Release();
            }
            catch (OperationCanceledException)
            {
                // As asked.
            }

            stop.Dispose();
        }

        foreach ((CallSlot slot, _) in inside) slot.Release();
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal((Most, 1000, 0, false), gate.Read());
        for (int i = 0; i < Most; i++) Assert.NotNull(Entered(gate.EnterAsync(0.5, Fine, default).AsTask()));
        Assert.False(gate.EnterAsync(0.5, Fine, default).AsTask().IsCompleted);
    }

    private static void Fine()
    {
    }

    private static CallSlot? Entered(Task<CallSlot?> entering)
    {
        Assert.True(SpinWait.SpinUntil(() => entering.IsCompleted, TimeSpan.FromSeconds(30)));
        return entering.GetAwaiter().GetResult();
    }

    private static async Task LeaveAsync(CallGate gate, SipRelationship relationship, int number, List<int> left)
    {
        CallSlot? slot = await gate.EnterAsync(relationship.Weight(), Fine, default);
        lock (left) left.Add(number);
        slot!.Release();
    }

    private static int Noted(List<long> left)
    {
        lock (left) return left.Count;
    }

    private async Task NoteAsync(CallGate gate, List<long> left)
    {
        CallSlot? slot = await gate.EnterAsync(0.5, Fine, default);
        lock (left) left.Add(_time.GetTimestamp());
        slot!.Release();
    }

    private CallGate Gate(int? most, double? rate)
    {
        var gate = new CallGate("s", _time);
        gate.SetLimits(most, rate);
        return gate;
    }

    private sealed class Call : TrackedCall
    {
        public Call(CallSlot? slot)
            : base(Guid.NewGuid().ToString(), ours: true) => Slot = slot;

        protected override IReadOnlyList<SipCallLeg> SnapshotLegs() => [];

        protected override IReadOnlyDictionary<string, string>? SnapshotDetails() => null;
    }
}
