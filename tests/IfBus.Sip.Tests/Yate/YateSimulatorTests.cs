using System.Globalization;
using System.Text;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Yate;

/// <summary>What the recordings of Yate 6.4.1 show beside single lines: limits, threads, orders, and the faults a test may want.</summary>
public sealed class YateSimulatorTests
{
    private static readonly YateSimulatorOptions Fast = new() { RingTime = TimeSpan.FromMilliseconds(20), NetworkTime = TimeSpan.FromMilliseconds(1), RestartTime = TimeSpan.FromMilliseconds(50) };

    [Fact]
    public async Task A_line_as_long_as_the_buffer_closes_and_a_longer_buffer_takes_it()
    {
        await using YateSimulator simulator = YateSimulator.Start();
        using (var client = new RawYateClient(simulator.Host, simulator.Port))
        {
            string most = new('a', 8190 - "%%>message:a:0:test.len::v=".Length);
            Assert.EndsWith("v=" + most, client.Ask("a", "test.len::v=" + most));
            client.Send("%%>message:b:0:test.len::v=" + most + "a");
            Assert.True(await client.ClosesAsync());
        }

        using var raised = new RawYateClient(simulator.Host, simulator.Port);
        raised.Send("%%>setlocal:bufsize:65536");
        raised.Await("%%<setlocal:bufsize:65536:true");
        string big = new('b', 60_000);
        Assert.EndsWith("v=" + big, raised.Ask("c", "test.len::v=" + big));
        // A client that cuts its lines anywhere says the same.
        foreach (byte b in Encoding.UTF8.GetBytes("%%>message:d:0:test.cut::v=%zé%%\r\n")) raised.Send([b]);
        Assert.Equal("%%<message:d:false:test.cut::v=%z" + Encoding.Latin1.GetString("é"u8) + "%%", raised.Await("%%<message:d:"));
    }

    [Fact]
    public async Task Sixty_messages_that_a_client_does_not_answer_stop_the_engine()
    {
        await using YateSimulator simulator = YateSimulator.Start(new YateSimulatorOptions { HandlerTimeout = 120_000 });
        using var lazy = new RawYateClient(simulator.Host, simulator.Port);
        using var other = new RawYateClient(simulator.Host, simulator.Port);
        lazy.Send("%%>install:80:test.slow");
        lazy.Await("%%<install:80:test.slow:true");
        for (int i = 0; i < 60; i++) other.Send($"%%>message:s{i}:0:test.slow::n={i}");
        other.Send("%%>message:q:0:engine.status::module=engine", "%%>setlocal:runid:");
        // Thirty workers wait, and the question waits for all sixty messages; a command that is no message does not.
        for (int round = 1; round <= 2; round++)
        {
            Assert.True(await lazy.HasAsync(31 * round, 60_000));
            other.Await("%%<setlocal:runid:");
            lazy.Send($"%%>setlocal:probe{round}:");
            lazy.Await($"%%<setlocal:probe{round}:");
            string[] asked = [.. lazy.Lines.Where(l => l.StartsWith("%%>message:", StringComparison.Ordinal)).Select(l => l.Split(':')[1])];
            Assert.Equal(30 * round, asked.Length);
            Assert.DoesNotContain(other.Lines, l => l.StartsWith("%%<message:q:", StringComparison.Ordinal));
            lazy.Send([.. asked.TakeLast(30).Select(id => $"%%<message:{id}:true::")]);
        }

        Assert.StartsWith("%%<message:q:true:engine.status:name=engine", other.Await("%%<message:q:", 60_000), StringComparison.Ordinal);
        Assert.Equal(60, other.Lines.Count(l => l.StartsWith("%%<message:s", StringComparison.Ordinal) && l.Contains(":true:test.slow:", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_message_that_is_not_answered_in_time_goes_on_and_a_bomb_closes()
    {
        await using YateSimulator simulator = YateSimulator.Start();
        using var lazy = new RawYateClient(simulator.Host, simulator.Port);
        using var other = new RawYateClient(simulator.Host, simulator.Port);
        lazy.Send("%%>setlocal:timeout:200", "%%>setlocal:maxqueue:1", "%%>install:80:test.slow");
        lazy.Await("%%<install:80:test.slow:true");
        Assert.StartsWith("%%<message:a:false:test.slow:", other.Ask("a", "test.slow::"), StringComparison.Ordinal);
        lazy.Send("%%>setlocal:timebomb:true");
        lazy.Await("%%<setlocal:timebomb:true:true");
        Assert.StartsWith("%%<message:b:false:test.slow:", other.Ask("b", "test.slow::"), StringComparison.Ordinal);
        Assert.True(await lazy.ClosesAsync());
    }

    [Fact]
    public async Task A_client_that_goes_leaves_no_handler_and_nothing_waiting()
    {
        await using YateSimulator simulator = YateSimulator.Start(Fast);
        using var other = new RawYateClient(simulator.Host, simulator.Port);
        using (var handler = new RawYateClient(simulator.Host, simulator.Port))
        {
            handler.Send("%%>install:50:call.route");
            handler.Await("%%<install:");
            other.Send("%%>message:a:0:call.route::called=4001");
            handler.Await("%%>message:");
        }

        Assert.StartsWith("%%<message:a:true:call.route:sip/sip%z4001@", other.Await("%%<message:a:"));
        Assert.StartsWith("%%<message:b:true:call.route:sip/sip%z4001@", other.Ask("b", "call.route::called=4001"));
    }

    [Fact]
    public async Task Drop_without_an_id_drops_all_and_a_driver_its_own()
    {
        await using YateSimulator simulator = YateSimulator.Start(Fast);
        using var client = new RawYateClient(simulator.Host, simulator.Port);
        for (int i = 0; i < 3; i++) client.Ask("a" + i, "call.execute::callto=dumb/:target=1001");
        Assert.StartsWith("%%<message:d:true:call.drop::id=dumb", client.Ask("d", "call.drop::id=dumb:reason=all dumb"));
        Assert.Contains("chans=0%M%J", client.Ask("s", "engine.status::module=dumb"), StringComparison.Ordinal);
        for (int i = 0; i < 3; i++) client.Ask("b" + i, "call.execute::callto=dumb/:target=4001");
        Assert.Equal((6, 3), (simulator.ActiveChannels, simulator.ActiveCalls));
        Assert.StartsWith("%%<message:e:false:call.drop:", client.Ask("e", "call.drop:"));
        Assert.Contains("chans=0%M%J", client.Ask("t", "engine.status::module=dumb"), StringComparison.Ordinal);
        Assert.Equal((0, 0), (simulator.ActiveChannels, simulator.ActiveCalls));
        Assert.Null(simulator.Failure);
    }

    [Theory]
    [InlineData(false, "chan.startup", "call.route")]
    [InlineData(true, "call.route", "chan.startup")]
    public async Task A_call_that_comes_in_is_told_in_both_orders_of_the_recordings(bool reorder, string first, string second)
    {
        var options = new YateSimulatorOptions { RingTime = TimeSpan.FromMilliseconds(20), Faults = new SimulatorFaults { Reorder = reorder } };
        await using YateSimulator simulator = YateSimulator.Start(options);
        using var client = new RawYateClient(simulator.Host, simulator.Port);
        client.Send("%%>watch:");
        client.Await("%%<watch::true");
        string leg = simulator.StartIncomingCall("alice", "4001");
        client.Await("%%<message::true:call.answered:");
        string[] about = [.. client.Lines.Where(l => l.Contains(":id=" + leg + ":", StringComparison.Ordinal)).Select(l => l.Split(':')[3])];
        Assert.True(Array.IndexOf(about, first) < Array.IndexOf(about, second), string.Join(' ', about));
        Assert.Equal(2, simulator.ActiveChannels);
        simulator.HangUpByPhone(leg);
        Assert.Contains(":id=" + leg + ":", client.Await("%%<message::false:chan.hangup:"), StringComparison.Ordinal);
        await Until(() => simulator.ActiveChannels == 0);
        Assert.Throws<ArgumentException>(() => simulator.HangUpByPhone(leg));
        Assert.Null(simulator.Failure);
    }

    [Fact]
    public async Task The_timer_of_the_engine_ticks_and_waits_for_its_handlers()
    {
        await using YateSimulator simulator = YateSimulator.Start();
        using var client = new RawYateClient(simulator.Host, simulator.Port);
        client.Send("%%>setlocal:timeout:200", "%%>install:40:engine.timer");
        string first = client.Await("%%>message:");
        Assert.Matches(@"^%%>message:0x[0-9a-f]+\.\d+:\d+:engine\.timer::time=\d+:nodename=yate1$", first);
        await client.HasAsync(client.Count + 2, 10_000);
        Assert.True(client.Lines.Count(l => l.Contains(":engine.timer:", StringComparison.Ordinal)) >= 3, "It did not tick on without an answer.");
    }

    [Fact]
    public async Task Each_status_has_the_recorded_rows_and_counters()
    {
        await using YateSimulator simulator = YateSimulator.Start();
        using var client = new RawYateClient(simulator.Host, simulator.Port);
        Transcript recording = Transcript.Open("yate", "status");
        string[] asked = [.. Encoding.UTF8.GetString(recording.Client(1)).Split('\n', StringSplitOptions.RemoveEmptyEntries)];
        string[] answers = [.. Encoding.UTF8.GetString(recording.Server(1)).Split('\n', StringSplitOptions.RemoveEmptyEntries)];
        var compared = 0;
        foreach ((string question, string answer) in asked.Zip(answers))
        {
            if (!question.Contains(":engine.status:", StringComparison.Ordinal)) continue;
            client.Send(question);
            string id = question.Split(':')[1];
            Assert.Equal(Keys(answer), Keys(client.Await($"%%<message:{id}:")));
            compared++;
        }

        Assert.Equal(15, compared);

        // Modules, counters and rows by name: the numbers are of another machine.
        static string Keys(string line) => string.Join(' ', line.Split(':').Where(f => !f.StartsWith("handlers=", StringComparison.Ordinal)).Select(f => System.Text.RegularExpressions.Regex.Replace(f, @"(?<==)\d+", "N")));
    }

    [Fact]
    public async Task Phones_register_with_the_password_that_a_handler_or_the_file_knows()
    {
        await using YateSimulator simulator = YateSimulator.Start(Fast);
        Assert.Equal(200, await simulator.RegisterPhoneAsync("alice", "test-alice-1"));
        Assert.Equal(401, await simulator.RegisterPhoneAsync("alice", "wrong"));
        using var client = new RawYateClient(simulator.Host, simulator.Port);
        Assert.Contains("users=1;alice=sip/sip%zalice@127.0.0.1%z5795%M%J", client.Ask("a", "engine.status::module=regfile"), StringComparison.Ordinal);
        client.Send("%%>install:50:user.auth");
        client.Await("%%<install:");
        Task<int> refused = simulator.RegisterPhoneAsync("bob", "x");
        string question = client.Await("%%>message:");
        client.Send($"%%<message:{question.Split(':')[1]}:true::-:error=forbidden");
        Assert.Equal(403, await refused);
        client.Send("%%>uninstall:user.auth");
        client.Await("%%<uninstall:");
        Assert.Equal(200, await simulator.RegisterPhoneAsync("alice", "test-alice-1", 0).WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Null(simulator.Failure);
    }

    [Fact]
    public async Task A_restart_ends_calls_and_has_another_run_id_and_a_kill_says_nothing()
    {
        await using YateSimulator simulator = YateSimulator.Start(Fast);
        string run;
        using (var client = new RawYateClient(simulator.Host, simulator.Port))
        {
            client.Send("%%>setlocal:runid:", "%%>watch:chan.hangup", "%%>watch:call.cdr", "%%>watch:engine.stop");
            run = client.Await("%%<setlocal:runid:");
            client.Ask("a", "call.execute::callto=dumb/:target=4001");
            await simulator.RestartAsync(CancellationToken.None);
            Assert.True(await client.ClosesAsync());
            Assert.Equal(2, client.Lines.Count(l => l.StartsWith("%%<message::false:chan.hangup:", StringComparison.Ordinal)));
            Assert.Equal(2, client.Lines.Count(l => l.Contains("operation=finalize", StringComparison.Ordinal)));
            Assert.Contains(client.Lines, l => l.StartsWith("%%<message::true:engine.stop::nodename=yate1", StringComparison.Ordinal));
        }

        using var again = new RawYateClient(simulator.Host, simulator.Port);
        again.Send("%%>setlocal:runid:", "%%>watch:");
        Assert.NotEqual(run, again.Await("%%<setlocal:runid:"));
        Assert.Contains(":id=dumb/1:", again.Ask("a", "call.execute::callto=dumb/:target=1001"), StringComparison.Ordinal);
        await simulator.KillAsync(CancellationToken.None);
        Assert.True(await again.ClosesAsync());
        Assert.DoesNotContain(again.Lines, l => l.Contains(":chan.hangup:", StringComparison.Ordinal));
        Assert.Equal(0, simulator.ActiveChannels);
    }

    [Fact]
    public async Task Silence_delay_pieces_cuts_and_refusals()
    {
        var faults = new SimulatorFaults();
        await using YateSimulator simulator = YateSimulator.Start(new YateSimulatorOptions { Faults = faults });
        using (var client = new RawYateClient(simulator.Host, simulator.Port))
        {
            faults.SplitWrites = true;
            Assert.Contains("name=cdrbuild", client.Ask("a", "engine.status::module=cdrbuild"), StringComparison.Ordinal);
            faults.SplitWrites = false;
            faults.Stall = true;
            int before = client.Count;
            client.Send("%%>message:b:0:engine.status::module=sip");
            Assert.False(await client.HasAsync(before + 1, 300));
            faults.Stall = false;
            client.Send("%%>setlocal:runid:");
            client.Await("%%<message:b:");
            simulator.DropConnections();
            Assert.True(await client.ClosesAsync());
        }

        faults.RefuseConnections = true;
        using var refused = new RawYateClient(simulator.Host, simulator.Port);
        Assert.True(await refused.ClosesAsync());
    }

    [Fact]
    public async Task A_leg_to_nowhere_ends_before_anything_is_sent()
    {
        await using YateSimulator simulator = YateSimulator.Start(Fast);
        using var client = new RawYateClient(simulator.Host, simulator.Port);
        client.Send("%%>watch:chan.hangup", "%%>watch:chan.startup");
        // Seen on Yate 6.4.1.
        string answer = client.Ask("a", "call.execute::callto=dumb/:direct=sip/garbage:target=x");
        Assert.EndsWith(":reason=Failed to create party", client.Await("%%<message::false:chan.hangup::id=sip/1:").Split(":handlers=")[0], StringComparison.Ordinal);
        Assert.Contains(":error=notransport:reason=Failed to create party", answer, StringComparison.Ordinal);
        Assert.DoesNotContain(client.Lines, l => l.Contains(":chan.startup::id=sip/", StringComparison.Ordinal));
        Assert.Equal(0, simulator.ActiveChannels);
    }

    [Fact]
    public async Task Programs_are_seen_and_never_run()
    {
        await using YateSimulator simulator = YateSimulator.Start();
        using var client = new RawYateClient(simulator.Host, simulator.Port);
        client.Ask("a", "engine.command::line=external execute touch x");
        Assert.Equal(["touch x"], simulator.ExternalCommands);
    }

    [Fact]
    public async Task Ten_thousand_calls_stand_and_end()
    {
        const int Calls = 10_000;
        await using YateSimulator simulator = YateSimulator.Start(Fast);
        using var watcher = new RawYateClient(simulator.Host, simulator.Port);
        watcher.Send("%%>watch:call.answered", "%%>watch:chan.hangup");
        watcher.Await("%%<watch:chan.hangup:true");
        using var client = new RawYateClient(simulator.Host, simulator.Port);
        for (int i = 0; i < Calls; i++) client.Send(string.Create(CultureInfo.InvariantCulture, $"%%>message:m{i}:0:call.execute::callto=dumb/:target=4001:caller={i}"));
        await client.HasAsync(Calls, 120_000);
        await Until(() => watcher.Lines.Count(l => l.StartsWith("%%<message::true:call.answered:", StringComparison.Ordinal)) == Calls);
        Assert.Equal(Calls, client.Lines.Count(l => l.Contains(":true:call.execute:", StringComparison.Ordinal)));
        Assert.Equal((2 * Calls, Calls), (simulator.ActiveChannels, simulator.ActiveCalls));
        string status = client.Ask("s", "engine.status::module=cdrbuild", 60_000);
        Assert.Contains($";cdrs={2 * Calls},", status, StringComparison.Ordinal);
        for (int i = 1; i <= Calls; i++) client.Send($"%%>message::0:call.drop::id=dumb/{i}");
        await Until(() => watcher.Lines.Count(l => l.StartsWith("%%<message::false:chan.hangup:", StringComparison.Ordinal)) == 2 * Calls);
        Assert.Equal((0, 0), (simulator.ActiveChannels, simulator.ActiveCalls));
        Assert.Null(simulator.Failure);
    }

    private static async Task Until(Func<bool> condition)
    {
        DateTime end = DateTime.UtcNow.AddSeconds(120);
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < end, "It never came about.");
            await Task.Delay(20);
        }
    }
}
