using System.Text;
using IfBus.Sip.Adapters;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Yate;

/// <summary>Peers that are no engine, or a broken one: a clear error within the deadline or no harm, nothing hangs, memory is bounded.</summary>
public sealed class YateHostilePeerTests
{
    private const string Ping = "ifbus.ping";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("Content-Type: auth/request\n\n")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("Asterisk Call Manager/11.0.0\r\n")]
    [InlineData("\u00ff\u00fb\u0003\u00ff\u00fb\u0001\u00ff\u00fd\u001f\r      \r\nYATE 6.4.1-devel1 r (http://YATE.null.ro) ready on yate1.\r\n")]
    [InlineData("\0\0\0\0\n")]
    [InlineData("%\n")]
    public async Task Other_greetings(string greeting)
    {
        using var peer = new YatePeer((_, _) => greeting);
        SipProtocolException error = await Assert.ThrowsAsync<SipProtocolException>(() => Connect(peer.Port).WaitAsync(Limit));
        Assert.Equal("SipNotYate", error.ErrorId);
        Assert.Contains("is no Yate external module", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData('x')]
    [InlineData('\0')]
    public async Task An_endless_line_for_a_greeting(char of)
    {
        using var peer = new YatePeer((_, _) => new string(of, 100_000));
        SipProtocolException error = await Assert.ThrowsAsync<SipProtocolException>(() => Connect(peer.Port).WaitAsync(Limit));
        Assert.Contains("64 kB", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\0\0\0\0")]
    [InlineData("\r\n\n\n\r\n")]
    // A listener whose connections are channels; Error in: is not answered.
    [InlineData("Error in: %%>connect:global\n")]
    // Somebody else's answer.
    [InlineData("%%<setlocal:runid:1:true\n")]
    public async Task Nothing_that_answers_us_at_the_login(string says)
    {
        using var peer = new YatePeer((_, _) => says);
        SipTimeoutException error = await Assert.ThrowsAsync<SipTimeoutException>(() => Connect(peer.Port, seconds: 1).WaitAsync(Limit));
        Assert.Equal(TimeSpan.FromSeconds(1), error.Limit);
        Assert.Contains("does not answer as Yate's external module does", error.Message, StringComparison.Ordinal);
        Assert.Equal(["%%>connect:global", "%%>setlocal:bufsize:65536", "%%>setlocal:setdata:false"], peer.Lines);
    }

    [Fact]
    public async Task Silence_after_the_first_answer()
    {
        using var peer = new YatePeer((line, usual) => line.StartsWith("%%>setlocal:bufsize", StringComparison.Ordinal) ? usual : "");
        await Assert.ThrowsAsync<SipTimeoutException>(() => Connect(peer.Port, seconds: 1).WaitAsync(Limit));
    }

    [Fact]
    public async Task An_end_without_a_word_at_the_login()
    {
        using var peer = new YatePeer((_, _) => null);
        SipConnectionException error = await Assert.ThrowsAsync<SipConnectionException>(() => Connect(peer.Port).WaitAsync(Limit));
        Assert.Contains("closed the connection without a word", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("%%<message:")]
    [InlineData("%%<message::true:call.answered::id=sip/1:bill")]
    [InlineData("Error i")]
    public async Task An_end_in_the_middle_of_a_line(string part)
    {
        using var peer = new YatePeer((line, usual) => usual ?? (line.Contains("last", StringComparison.Ordinal) ? null : part));
        await using ISipAdapter adapter = await Connect(peer.Port);
        Task<SipCommandResult> first = Invoke(adapter, Ping);
        // The peer closes when this one comes.
        Task<SipCommandResult> last = Invoke(adapter, "ifbus.last");
        foreach (Task<SipCommandResult> request in new[] { first, last })
        {
            SipConnectionException error = await Assert.ThrowsAsync<SipConnectionException>(() => request.WaitAsync(Limit));
            Assert.True(error.OutcomeUnknown);
            Assert.Contains("middle of a message", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("x")]
    [InlineData("\0")]
    [InlineData("%%<message::true:x::y=")]
    [InlineData("\r")]
    public async Task An_endless_line_ends_the_connection_with_an_error(string begin)
    {
        string junk = begin + new string(begin[^1] == '=' ? 'x' : begin[^1], 1_000_000);
        using YatePeer? peer = Endless(junk);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        await using ISipAdapter adapter = await Connect(peer.Port);
        SipConnectionException error = await Assert.ThrowsAsync<SipConnectionException>(() => Invoke(adapter, Ping).WaitAsync(Limit));
        Assert.IsType<SipProtocolException>(error.InnerException);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 64 * 1024 * 1024);
    }

    [Theory]
    [InlineData("not a line of the protocol\n")]
    [InlineData("\n\r\n\r\n\n")]
    [InlineData("\0\n\0\0\n")]
    [InlineData("%\n%%\n%%<\n%%>\n%%<message\n%%<message:\n%%>message\n%%<:\n%%<::::::\n")]
    [InlineData("%%<nosuch:a:true\n%%<setlocal\n%%<setlocal:true\n%%<watch:\n%%<install:1:x:false\n%%<quit:x\n")]
    [InlineData("%%<setlocal:runid:7:true\n%%<watch:chan.startup:false\n%%<setlocal:bufsize:65536:false\n")]
    [InlineData("Error in: \nError in: x\nError in: %%>message:\nError in: %%>message:7\nError in: %%>message:77777:0:x:\nError in: %%>message:x:0:x:\nError in: %%>watch:\n")]
    [InlineData("%%<message:abc:true:x:\n%%<message:0:true:x:\n%%<message:-1:true:x:\n%%<message:99999999999999999999999:true:x:\n%%<message:1 :true:x:\n%%<message:1.0:true:x:\n")]
    [InlineData("%%<message:0x7f46765ac6f0.98:true:call.execute::id=sip/1\n")]
    // Escapes that are none, in ids, names, values and the names of parameters.
    [InlineData("%%<message::true:chan.startup:%:id=sip/1%:billid=%\n%%<message::true:chan.%hangup:%j:i%d=%}:%=%z:=x:=:==:%\n")]
    [InlineData("%%<message::true:chan.startup::id=sip/%z:billid=b%M%J:direction=%Z\n%%<message::false:chan.hangup::id=sip/%z\n")]
    [InlineData("%%<message::true:chan.startup::id=%@:billid=%@:targetid=%@\n%%<message::false:chan.hangup::id=%@\n")]
    // Bytes that are no UTF-8, and raw control bytes.
    [InlineData("%%<message::true:chan.startup::id=sip/\u00c0\u00ff:billid=\u00c3:caller=\u00fe\u00fe\n%%<message::false:chan.hangup::id=sip/\u00c0\u00ff:reason=\u0080\n")]
    [InlineData("%%<message::true:chan.dtmf::id=\u0001\t\u001b[2J:text=\u0007\n")]
    // Numbers that are none or too large, legs of nobody, and a leg that is its own partner.
    [InlineData("%%<message::true:chan.hangup::id=sip/9:cause_sip=99999999999999:sip_reason=Q.850;cause=99999999999\n%%<message::true:chan.connected::id=sip/8:peerid=sip/8:billid=8\n%%<message::true:chan.hangup::id=sip/8\n")]
    [InlineData("%%<message::true:call.cdr::operation=finalize:chan=sip/7:billid=:time=1e400:duration=-1:billtime=NaN\n%%<message::true:engine.status:name=x,y=;;;|||\n")]
    [InlineData("%%<message::perhaps:chan.startup::\n%%<message::true:chan.connected::id=:peerid=\n%%<message::true::\n")]
    public async Task What_is_no_answer_of_ours_is_survived(string says)
    {
        using var peer = new YatePeer((line, usual) => usual ?? $"{says}%%<message:{YatePeer.IdOf(line)}:true:{Ping}:pong\n");
        await using ISipAdapter adapter = await Connect(peer.Port);
        int greeted = peer.Lines.Length;
        for (int i = 0; i < 3; i++) Assert.Equal(["pong"], (await Invoke(adapter, Ping).WaitAsync(Limit)).Output);
        Assert.Equal(ConnectionState.Connected, adapter.Server.State);
        // Nothing was answered: only our own lines went out.
        Assert.Equal(3, peer.Lines.Skip(greeted).Count(l => l.Contains(Ping, StringComparison.Ordinal)));
        Assert.Equal(greeted + 3, peer.Lines.Length);
    }

    [Fact]
    public async Task Answers_of_others_and_late_ones_are_nobodys()
    {
        string? first = null;
        using var peer = new YatePeer((line, usual) =>
        {
            if (usual is not null) return usual;
            string id = YatePeer.IdOf(line);
            if (first is null)
            {
                // Ids that look like ours, and no answer to the first question.
                first = id;
                return $"%%<message:{id}9:true:{Ping}:no\n%%<message:0{id}:true:{Ping}:no\n%%<message:+{id}:true:{Ping}:no\n%%<message:{id}.0:true:{Ping}:no\n%%<message: {id}:true:{Ping}:no\n";
            }

            return $"%%<message:{first}:true:{Ping}:late\n%%<message:{id}:true:{Ping}:pong\n%%<message:{id}:true:{Ping}:twice\n";
        });
        await using ISipAdapter adapter = await Connect(peer.Port, requestSeconds: 1);
        SipTimeoutException error = await Assert.ThrowsAsync<SipTimeoutException>(() => Invoke(adapter, Ping).WaitAsync(Limit));
        Assert.True(error.OutcomeUnknown);
        for (int i = 0; i < 3; i++) Assert.Equal(["pong"], (await Invoke(adapter, Ping).WaitAsync(Limit)).Output);
    }

    [Fact]
    public async Task Answers_that_come_in_another_order_find_their_questions()
    {
        var waiting = new List<string>();
        using var peer = new YatePeer((line, usual) =>
        {
            if (usual is not null) return usual;
            waiting.Add(line);
            if (waiting.Count < 50) return "";
            waiting.Reverse();
            return string.Concat(waiting.Select(l => $"%%<message:{YatePeer.IdOf(l)}:true:x:{l.Split("n=")[1]}\n"));
        });
        await using ISipAdapter adapter = await Connect(peer.Port);
        Task<SipCommandResult>[] requests = [.. Enumerable.Range(0, 50).Select(i => adapter.InvokeCommandAsync(new SipCommandRequest(Ping, [new("n", i.ToString(System.Globalization.CultureInfo.InvariantCulture))]), default))];
        SipCommandResult[] results = await Task.WhenAll(requests).WaitAsync(Limit);
        Assert.Equal(Enumerable.Range(0, 50).Select(i => i.ToString(System.Globalization.CultureInfo.InvariantCulture)), results.Select(r => r.Output[0]));
    }

    [Fact]
    public async Task Local_answers_that_come_twice_or_uncalled_put_no_other_off_its_place()
    {
        using var peer = new YatePeer((line, usual) => line.StartsWith("%%>watch:", StringComparison.Ordinal)
            ? $"%%<watch:nosuch:false\n{usual}%%<{line[3..]}:false\n"
            : usual ?? $"%%<message:{YatePeer.IdOf(line)}:true:x:\n");
        await using ISipAdapter adapter = await Connect(peer.Port);
        Assert.True(adapter.Server.Capabilities.HasFlag(SipCapabilities.CallEvents));
        Assert.Equal("Yate 6.4.1", adapter.Server.Version);
        Assert.NotEqual(HealthState.Critical, (await adapter.CheckHealthAsync(default).WaitAsync(Limit)).Health);
    }

    [Fact]
    public async Task Error_in_our_line_is_told_at_once_to_who_sent_it()
    {
        using var peer = new YatePeer((line, usual) => usual ?? $"Error in: {line}\n");
        await using ISipAdapter adapter = await Connect(peer.Port, requestSeconds: 600);
        SipRejectedException error = await Assert.ThrowsAsync<SipRejectedException>(() => Invoke(adapter, Ping).WaitAsync(Limit));
        Assert.Contains(Ping, error.Message, StringComparison.Ordinal);
        Assert.Equal(ConnectionState.Connected, adapter.Server.State);
    }

    [Fact]
    public async Task Error_in_a_local_command_ends_the_login()
    {
        using var peer = new YatePeer((line, usual) => line == "%%>setlocal:engine.version:" ? $"Error in: {line}\n" : usual);
        SipRejectedException error = await Assert.ThrowsAsync<SipRejectedException>(() => Connect(peer.Port, seconds: 600).WaitAsync(Limit));
        Assert.Contains("setlocal", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Questions_that_nobody_asked_for_are_each_let_go_once()
    {
        using var peer = new YatePeer((line, usual) => usual ?? (line.StartsWith("%%<", StringComparison.Ordinal)
            ? ""
            : string.Concat(Enumerable.Range(0, 500).Select(i => $"%%>message:0x7f.{i}:0:call.route:ret%zurn:id=sip/{i}\n")) + $"%%<message:{YatePeer.IdOf(line)}:true:x:pong\n"));
        await using ISipAdapter adapter = await Connect(peer.Port);
        await Invoke(adapter, Ping).WaitAsync(Limit);
        await Until(() => peer.Lines.Count(l => l.StartsWith("%%<message:0x7f.", StringComparison.Ordinal)) == 500);
        // Let go with the value that it had.
        Assert.Equal(500, peer.Lines.Where(l => l.EndsWith(":false::ret%zurn", StringComparison.Ordinal)).Distinct().Count());
    }

    [Fact]
    public async Task A_peer_that_stops_answering_is_given_up_and_nothing_is_sent_twice()
    {
        bool silent = false;
        using var peer = new YatePeer((_, usual) =>
        {
            silent |= usual is null;
            return silent ? "" : usual;
        });
        await using ISipAdapter adapter = await Connect(peer.Port, requestSeconds: 1, keepAlive: 1);
        SipTimeoutException error = await Assert.ThrowsAsync<SipTimeoutException>(() => adapter.MakeCallAsync(new SipCallRequest { To = "1001", Application = "dumb" }, default).WaitAsync(Limit));
        Assert.True(error.OutcomeUnknown);
        await Until(() => adapter.Server.State != ConnectionState.Connected);
        Assert.Single(peer.Lines, l => l.Contains(":call.execute:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_peer_that_talks_on_and_stops_reading_is_given_up()
    {
        using var deaf = new ManualResetEventSlim();
        using var end = new CancellationTokenSource();
        using YatePeer? peer = Deaf(deaf, end.Token);
        ISipAdapter adapter = await Connect(peer.Port, requestSeconds: 20, keepAlive: 2);
        Task<SipCommandResult> first = Invoke(adapter, Ping);
        await Until(() => deaf.IsSet);
        Task talking = Task.Run(async () =>
        {
            // It is heard all the time, so no keep-alive would find out.
            for (int i = 0; !end.IsCancellationRequested; i++)
            {
                await peer.WriteAsync(Encoding.ASCII.GetBytes($"%%<message::true:chan.dtmf::id=sip/{i}:text=1\n"), end.Token);
                await Task.Delay(50, end.Token);
            }
        });
        string value = new('x', 60_000);
        Task<SipCommandResult>[] requests = [first, .. Enumerable.Range(0, 400).Select(_ => Task.Run(() => adapter.InvokeCommandAsync(new SipCommandRequest(Ping, [new("v", value)]), default)))];
        foreach (Task<SipCommandResult> request in requests)
        {
            SipConnectionException error = await Assert.ThrowsAsync<SipConnectionException>(() => request.WaitAsync(Limit));
            Assert.Contains("not read", error.Message, StringComparison.Ordinal);
        }

        await Until(() => adapter.Server.State != ConnectionState.Connected);
        Assert.Contains("does not read any more", adapter.Server.LastError, StringComparison.Ordinal);
        await end.CancelAsync();
        await adapter.DisposeAsync().AsTask().WaitAsync(Limit);
        await Task.WhenAny(talking).WaitAsync(Limit);
    }

    [Fact]
    public async Task Leaving_a_peer_that_stops_reading_takes_no_longer_than_the_good_bye()
    {
        using var deaf = new ManualResetEventSlim();
        using var end = new CancellationTokenSource();
        using YatePeer? peer = Deaf(deaf, end.Token);
        ISipAdapter adapter = await Connect(peer.Port, requestSeconds: 600, keepAlive: 600);
        string value = new('x', 60_000);
        Task<SipCommandResult>[] requests = [.. Enumerable.Range(0, 100).Select(_ => adapter.InvokeCommandAsync(new SipCommandRequest(Ping, [new("v", value)]), default))];
        await Until(() => deaf.IsSet);
        await adapter.DisconnectAsync(default).WaitAsync(Limit);
        await adapter.DisposeAsync().AsTask().WaitAsync(Limit);
        foreach (Task<SipCommandResult> request in requests) Assert.True((await Assert.ThrowsAsync<SipConnectionException>(() => request.WaitAsync(Limit))).OutcomeUnknown);
        await end.CancelAsync();
    }

    // Says junk when asked, as long as anybody listens.
    private static YatePeer Endless(string junk)
    {
        YatePeer? peer = null;
        peer = new YatePeer((_, usual) =>
        {
            if (usual is not null) return usual;
            try
            {
                for (int i = 0; i < 200; i++) peer!.Stream!.Write(Encoding.Latin1.GetBytes(i == 0 ? junk : junk[^1_000_000..]));
            }
            catch (IOException)
            {
                // The client has gone, which is what is tested.
            }

            return null;
        });
        return peer;
    }

    // Reads nothing any more from the first question on.
    private static YatePeer Deaf(ManualResetEventSlim deaf, CancellationToken end) => new((_, usual) =>
    {
        if (usual is not null) return usual;
        deaf.Set();
        end.WaitHandle.WaitOne(TimeSpan.FromMinutes(2));
        return null;
    });

    private static Task<SipCommandResult> Invoke(ISipAdapter adapter, string name) => adapter.InvokeCommandAsync(new SipCommandRequest(name, []), default);

    private static async Task Until(Func<bool> condition)
    {
        DateTime end = DateTime.UtcNow + Limit;
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < end, "It never came about.");
            await Task.Delay(20);
        }
    }

    private static Task<ISipAdapter> Connect(int port, double seconds = 10, double requestSeconds = 10, double keepAlive = 60) =>
        Connected.ToAsync(SipServerType.Yate, port, seconds, requestSeconds, keepAlive);
}
