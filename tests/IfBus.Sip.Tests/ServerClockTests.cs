using IfBus.Sip.Adapters;

namespace IfBus.Sip.Tests;

/// <summary>Our time of what a server stamps with a clock of its own.</summary>
public sealed class ServerClockTests
{
    private static readonly DateTime Ours = new(2026, 11, 24, 12, 0, 0, DateTimeKind.Utc);
    private static readonly TimeSpan Behind = TimeSpan.FromHours(3);
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(2);

    [Fact]
    public void What_is_read_late_does_not_move_it()
    {
        var clock = new ServerClock();
        Assert.Null(clock.Ahead);
        Assert.Equal(Behind + Delay, Hear(clock, 0, Delay));
        Assert.Equal(Behind + Delay, Hear(clock, 1, TimeSpan.FromSeconds(5)));
        Assert.Equal(Behind + (Delay / 2), Hear(clock, 7, Delay / 2));
        Assert.Equal(Behind + (Delay / 2), Hear(clock, 8, Delay));
        Assert.Equal(Behind + (Delay / 2), clock.Ahead);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public void A_clock_that_is_set_anew_is_followed(int hours)
    {
        var clock = new ServerClock();
        Hear(clock, 0, Delay);
        TimeSpan set = TimeSpan.FromHours(hours);
        for (int second = 20; second <= 180; second += 20) Hear(clock, second, Delay, set);
        Assert.Equal(Behind + Delay - set, clock.Ahead);
    }

    [Fact]
    public void Nothing_that_is_old_counts()
    {
        var clock = new ServerClock();
        Hear(clock, 0, Delay);
        Assert.Equal(Behind + (10 * Delay), Hear(clock, 3600, 10 * Delay));
        // Our own clock was set back.
        Assert.Equal(Behind + (20 * Delay), Hear(clock, 60, 20 * Delay));
    }

    // What happened at a second of the server's, whose clock is behind, and came after a delay.
    private static TimeSpan Hear(ServerClock clock, int second, TimeSpan delay, TimeSpan set = default)
    {
        DateTime happened = Ours.AddSeconds(second);
        return clock.Hear(happened - Behind + set, happened + delay);
    }
}
