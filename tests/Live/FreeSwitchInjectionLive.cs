using System.Collections.Concurrent;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using IfBus.Sip.Tests.Contract;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests;

/// <summary>
/// What callers give stays a value, by what a real FreeSWITCH says of itself to somebody else: every hole of its syntax,
/// through every parameter that ends in a command of it.
/// </summary>
public sealed class FreeSwitchInjectionLive : FreeSwitchServerContract
{
    // A number that nobody is called by, unless a value became a call.
    private const string Stranger = "666666";

    private static readonly string[] Applications = ["system", "bgsystem", "inline", "log"];
    private static readonly string[] Commands = ["system", "bg_system", "spawn", "bg_spawn", "spawn_stream"];
    private static readonly string[] Variables = ["\"variable_execute_on_answer\"", "\"variable_api_on_answer\"", "\"variable_api_hangup_hook\"", "\"variable_sip_h_X-Evil\"", "\"variable_ifbus_forged\""];

    private readonly string _marker = Path.Combine(Path.GetTempPath(), "ifbus-" + Guid.NewGuid().ToString("N"));

    protected override ContractServer Server => LiveFreeSwitch.Contract;

    private string[] Holes =>
    [
        $"1000 &system(touch {_marker})", $"1000 'system:touch {_marker}' inline", $"1000 system:touch\\s{_marker} inline", $"1000,sofia/gateway/answer/{Stranger}", $"1000|sofia/gateway/answer/{Stranger}",
        $"1000:_:sofia/gateway/answer/{Stranger}", $"a}}sofia/gateway/answer/{Stranger}", $"a]sofia/gateway/answer/{Stranger}", "{a", "${system(touch " + _marker + ")}", "$${system(touch " + _marker + ")}",
        "$\\{system(touch " + _marker + ")}", $"1000\n\nbgapi system touch {_marker}\n\n", $"1000\r\n\r\nbgapi originate sofia/gateway/answer/{Stranger} &park()\r\n\r\n", $"1000\\n\\nbgapi system touch {_marker}",
        "1000\nJob-UUID: x", $"x,execute_on_answer=system touch {_marker}", $"x,api_on_answer=system touch {_marker}", $"x',api_on_answer='system touch {_marker}", $"x\\',api_on_answer=system touch {_marker}",
        $"x\\\\,api_on_answer=system touch {_marker}", $"^^:api_on_answer=system touch {_marker}", "x\\", "'", $"a&system(touch {_marker})", $"a)&system(touch {_marker})", "a\\nX-Evil: 1", "a\nX-Evil: 1", $"loopback/app=system:touch {_marker}",
        $"../../{_marker}.wav", $"/{_marker}.wav", $"{_marker}|touch.wav", $"r@default kick all; system touch {_marker}", "all kick all", "\0", " lead", "trail ", "loopback/app=log:x", "loopback/set:ifbus_forged=1/default/inline", "UNDEF", "-both",
    ];

    [FreeSwitchTheory]
    [InlineData("New-SipCall -From $v -To 1000 -Wait")]
    [InlineData("New-SipCall -From 5, $v -To 1000 -Wait")]
    [InlineData("New-SipCall -From 5 -To $v -Wait")]
    [InlineData("New-SipCall -From 5 -To 1000 -Context $v -Wait")]
    [InlineData("New-SipCall -To $v -Application park -Wait")]
    [InlineData("New-SipCall -To 5 -Application $v -Wait")]
    [InlineData("New-SipCall -To 5 -Application park -ApplicationData $v -Wait")]
    [InlineData("New-SipCall -To 5 -Application set -ApplicationData \"x=$v\" -Wait")]
    [InlineData("New-SipCall -To 5 -Play $v -Wait")]
    [InlineData("New-SipCall -To 5 -Application park -CallerId $v -Wait")]
    [InlineData("New-SipCall -To 5 -Application park -CallerId \"$v <1001>\" -Wait")]
    [InlineData("New-SipCall -To 5 -Application park -CallerId \"x <$v>\" -Wait")]
    [InlineData("New-SipCall -To 5 -Application park -Variable @{ free = $v } -Wait")]
    [InlineData("New-SipCall -To 5 -Application park -Variable @{ sip_h_Subject = $v } -Wait")]
    [InlineData("New-SipCall -To 5 -Application park -Variable @{ $v = '1' } -Wait")]
    [InlineData("$call | Move-SipCall -To $v -Timeout 1")]
    [InlineData("$call | Move-SipCall -To $v -Attended -Timeout 1")]
    [InlineData("$call | Move-SipCall -To 1000 -Context $v")]
    [InlineData("$call | Start-SipRecording -Path $v")]
    [InlineData("$call | Start-SipRecording -Path \"$v.wav\"")]
    [InlineData("$call | Join-SipConference $v")]
    [InlineData("$call | Set-SipCallVariable free $v")]
    [InlineData("$call | Set-SipCallVariable $v 1")]
    [InlineData("$call | Send-SipDtmf $v")]
    public void Nothing_becomes_more_than_a_value(string script)
    {
        SipCall call = Call(TwoPhones);
        AssertAnswered(call);
        using var watcher = new Watcher(Server);
        foreach (string hole in Holes)
        {
            (Collection<PSObject> output, IReadOnlyList<ErrorRecord> errors) = Module.Try("param($call, $v) " + script, call, hole);
            // Taken as a value, or refused before anything was sent; the server itself refused nothing.
            Assert.All(errors, e => Assert.StartsWith("SipInvalid", e.FullyQualifiedErrorId, StringComparison.Ordinal));
            foreach (SipCall made in output.Select(o => o.BaseObject).OfType<SipCall>().Where(c => c.CallId != call.CallId && !c.IsEnded))
            {
                // It may be ending by itself: its application is over.
                Module.Try("param($c) $c | Stop-SipCall", made);
                WaitForEnd(made);
            }

            Assert.Equal(call.CallId, Assert.Single(Ours()).CallId);
        }

        Assert.Equal((CallState.Connected, 2), (Now(call).State, Up(Now(call))));
        Stop(call);
        foreach (JsonElement e in watcher.All())
        {
            string about = e.GetRawText();
            Assert.DoesNotContain(Text(e, "Application"), Applications);
            Assert.DoesNotContain(Text(e, "API-Command"), Commands);
            Assert.DoesNotContain(Stranger, Text(e, "Caller-Destination-Number"), StringComparison.Ordinal);
            Assert.DoesNotContain(Stranger, Text(e, "Channel-Name"), StringComparison.Ordinal);
            Assert.All(Variables, v => Assert.DoesNotContain(v, about, StringComparison.Ordinal));
        }

        Assert.False(File.Exists(_marker) || File.Exists(_marker + ".wav"), "a value ran a command");
    }

    [FreeSwitchTheory]
    [InlineData("it's")]
    [InlineData("a,b=c;d|e")]
    [InlineData("back\\slash\\n \\s end\\")]
    [InlineData("{x} [y] <z> \"q\" ^^:_: % $ & ) (")]
    [InlineData("caf\u00e9 \u6f22 \U0001f600")]
    [InlineData("a\\nX-Evil: 1")]
    [InlineData("Bob,execute_on_answer=system touch")]
    public void What_is_taken_arrives_byte_for_byte(string value)
    {
        using FarEnd phone = FarEnd.Open("answer");
        using var watcher = new Watcher(Server);
        // As a variable, as what an application is given, as a header of the INVITE, as a name.
        SipCall call = Module.Run<SipCall>(
            "param($p, $v) New-SipCall -To \"sofia/internal/7@127.0.0.1:$p\" -Application log -ApplicationData $v -Variable @{ free = $v; sip_h_Subject = $v } -CallerId 'Ann, O''Neil <1001>' -Wait", phone.Port, value);
        WaitForEnd(call);
        JsonElement[] events = [.. watcher.All().Where(e => Text(e, "Unique-ID") == call.CallId)];
        JsonElement ended = events.Single(e => Text(e, "Event-Name") == "CHANNEL_HANGUP_COMPLETE");
        Assert.Equal(value, Text(ended, "variable_free"));
        JsonElement executed = events.Single(e => Text(e, "Event-Name") == "CHANNEL_EXECUTE");
        Assert.Equal(("log", value), (Text(executed, "Application"), Text(executed, "Application-Data")));
        string invite = phone.Parts(received: true).First(p => p.StartsWith("INVITE ", StringComparison.Ordinal));
        string[] head = invite.Split("\r\n\r\n")[0].ReplaceLineEndings("\n").Split('\n');
        Assert.Equal("Subject: " + value, Assert.Single(head, l => l.StartsWith("Subject:", StringComparison.Ordinal)));
        Assert.DoesNotContain(head, l => l.StartsWith("X-Evil", StringComparison.Ordinal));
        Assert.Contains(head, l => l.StartsWith("From: \"Ann, O'Neil\" <sip:1001@", StringComparison.Ordinal));
    }

    private static string Text(JsonElement e, string name) => e.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    /// <summary>Another client of the Event Socket, which hears what the server does.</summary>
    private sealed class Watcher : IDisposable
    {
        private readonly TcpClient _client;
        private readonly ConcurrentQueue<string> _events = new();
        private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ConcurrentDictionary<string, TaskCompletionSource> _marks = new();

        public Watcher(ContractServer server)
        {
            _client = new TcpClient(server.Host, server.Port);
            _ = ReadAsync();
            Send($"auth {server.Secret}\n\nevent json CHANNEL_CREATE CHANNEL_EXECUTE CHANNEL_HANGUP_COMPLETE API BACKGROUND_JOB CUSTOM ifbus::mark\n\n");
            Assert.True(_ready.Task.Wait(TimeSpan.FromSeconds(15)), "the server takes no second client");
        }

        /// <summary>Everything that has happened up to now.</summary>
        public List<JsonElement> All()
        {
            string mark = Guid.NewGuid().ToString("N");
            TaskCompletionSource seen = _marks[mark] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Send($"sendevent CUSTOM\nEvent-Subclass: ifbus::mark\nMark: {mark}\n\n");
            Assert.True(seen.Task.Wait(TimeSpan.FromSeconds(15)), "the mark did not come");
            return [.. _events.Select(e => JsonDocument.Parse(e).RootElement)];
        }

        public void Dispose() => _client.Dispose();

        private void Send(string text) => _client.GetStream().Write(Encoding.UTF8.GetBytes(text));

        private async Task ReadAsync()
        {
            try
            {
                NetworkStream stream = _client.GetStream();
                while (true)
                {
                    string head = await HeadAsync(stream);
                    int at = head.IndexOf("Content-Length: ", StringComparison.Ordinal);
                    byte[] body = new byte[at < 0 ? 0 : int.Parse(head.AsSpan(at + 16, head.IndexOf('\n', at) - at - 16), CultureInfo.InvariantCulture)];
                    await stream.ReadExactlyAsync(body);
                    if (head.Contains("listener enabled", StringComparison.Ordinal)) _ready.TrySetResult();
                    if (!head.Contains("text/event-json", StringComparison.Ordinal)) continue;
                    string text = Encoding.UTF8.GetString(body);
                    _events.Enqueue(text);
                    foreach ((string mark, TaskCompletionSource seen) in _marks)
                    {
                        if (text.Contains(mark, StringComparison.Ordinal)) seen.TrySetResult();
                    }
                }
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // Closed.
            }
        }

        private static async Task<string> HeadAsync(NetworkStream stream)
        {
            var head = new List<byte>();
            byte[] one = new byte[1];
            while (head.Count < 2 || head[^1] != '\n' || head[^2] != '\n')
            {
                await stream.ReadExactlyAsync(one);
                head.Add(one[0]);
            }

            return Encoding.UTF8.GetString([.. head]);
        }
    }
}
