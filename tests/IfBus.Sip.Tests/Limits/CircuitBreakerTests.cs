using IfBus.Sip.Adapters;
using Microsoft.Extensions.Time.Testing;

namespace IfBus.Sip.Tests.Limits;

/// <summary>When a server is left alone, and when it is tried again.</summary>
public sealed class CircuitBreakerTests
{
    private static readonly TimeSpan CoolDown = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider _time = new();
    private readonly CircuitBreaker _breaker;

    public CircuitBreakerTests() => _breaker = new CircuitBreaker(CoolDown, _time);

    [Fact]
    public void Three_failures_in_a_row_open_it()
    {
        Assert.False(_breaker.Failed());
        Assert.False(_breaker.Failed());
        Assert.False(_breaker.Answered());
        Assert.False(_breaker.Failed());
        Assert.False(_breaker.Failed());
        Assert.Equal(CircuitState.Closed, _breaker.State);
        Assert.True(_breaker.Failed());
        Assert.Equal(CircuitState.Open, _breaker.State);
        Assert.False(_breaker.TryPass(out _));
    }

    [Fact]
    public void After_the_cool_down_exactly_one_is_let_through()
    {
        Open();
        _time.Advance(CoolDown - TimeSpan.FromTicks(1));
        Assert.False(_breaker.TryPass(out _));
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(CircuitState.HalfOpen, _breaker.State);
        int passed = 0;
        Parallel.For(0, 1000, _ =>
        {
            if (_breaker.TryPass(out bool trial) && trial) Interlocked.Increment(ref passed);
        });
        Assert.Equal(1, passed);
        Assert.True(_breaker.Answered());
        Assert.Equal(CircuitState.Closed, _breaker.State);
        Assert.True(_breaker.TryPass(out bool again));
        Assert.False(again);
    }

    [Fact]
    public void A_failure_of_that_one_opens_it_for_another_cool_down()
    {
        Open();
        _time.Advance(CoolDown);
        Assert.True(_breaker.TryPass(out _));
        Assert.True(_breaker.Failed());
        Assert.Equal(CircuitState.Open, _breaker.State);
        _time.Advance(CoolDown);
        Assert.Equal(CircuitState.HalfOpen, _breaker.State);
    }

    [Fact]
    public void One_that_says_nothing_lets_another_try()
    {
        Open();
        _time.Advance(CoolDown);
        Assert.True(_breaker.TryPass(out _));
        Assert.False(_breaker.TryPass(out _));
        _breaker.Undecided();
        Assert.True(_breaker.TryPass(out bool trial));
        Assert.True(trial);
    }

    [Fact]
    public void Calls_that_do_not_ask_do_not_make_it_longer()
    {
        Open();
        _time.Advance(CoolDown / 2);
        Assert.False(_breaker.Failed());
        _time.Advance(CoolDown / 2);
        Assert.Equal(CircuitState.HalfOpen, _breaker.State);
    }

    private void Open()
    {
        for (int i = 0; i < CircuitBreaker.Limit; i++) _breaker.Failed();
        Assert.Equal(CircuitState.Open, _breaker.State);
    }
}
