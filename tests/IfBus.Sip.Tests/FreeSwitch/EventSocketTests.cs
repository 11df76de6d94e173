using System.Text;
using IfBus.Sip.Adapters;
using IfBus.Sip.Adapters.FreeSwitch;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>Peers that are not what they should be, and the order of replies: a clear error within the deadline, nothing hangs, nothing is taken for something else.</summary>
public sealed class EventSocketTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("Asterisk Call Manager/11.0.0\r\n")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("\n\n")]
    [InlineData("\0\0\0\0")]
    public async Task Other_greetings(string greeting)
    {
        using var peer = new ScriptedPeer(async (stream, _, token) =>
        {
            await ScriptedPeer.SayAsync(stream, greeting);
            await stream.ReadAtLeastAsync(new byte[1], 1, false, token);
        });
        SipProtocolException error = await Assert.ThrowsAsync<SipProtocolException>(() => EslPeer.ConnectAsync(peer.Port).WaitAsync(Limit));
        Assert.Equal("SipNotFreeSwitch", error.ErrorId);
    }

    [Fact]
    public async Task Silence_in_the_handshake()
    {
        using var peer = new ScriptedPeer((stream, _, token) => stream.ReadAtLeastAsync(new byte[1], 1, false, token).AsTask());
        SipTimeoutException error = await Assert.ThrowsAsync<SipTimeoutException>(() => EslPeer.ConnectAsync(peer.Port, seconds: 1).WaitAsync(Limit));
        Assert.Contains("does not ask for a password", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_address_and_a_refused_password_are_told_apart()
    {
        using var acl = new ScriptedPeer(async (stream, _, _) => await ScriptedPeer.SayAsync(stream, "Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"));
        Assert.Equal("SipAddressRefused", (await Assert.ThrowsAsync<SipAuthenticationException>(() => EslPeer.ConnectAsync(acl.Port).WaitAsync(Limit))).ErrorId);
        using var password = new ScriptedPeer(async (stream, _, token) =>
        {
            await ScriptedPeer.SayAsync(stream, "Content-Type: auth/request\n\n");
            await EslPeer.ReadCommandAsync(stream, token);
            await ScriptedPeer.SayAsync(stream, "Content-Type: command/reply\nReply-Text: -ERR invalid\n\nContent-Type: text/disconnect-notice\nContent-Length: 4\n\nbye\n");
        });
        SipAuthenticationException error = await Assert.ThrowsAsync<SipAuthenticationException>(() => EslPeer.ConnectAsync(password.Port).WaitAsync(Limit));
        Assert.Equal("SipAuthenticationFailed", error.ErrorId);
        Assert.DoesNotContain("hush-hush", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Content-Length: -1\n\n")]
    [InlineData("Content-Length: 99999999999\n\n")]
    [InlineData("Content-Length: 12x\n\n")]
    [InlineData("Nonsense: 1\n\n")]
    [InlineData("Content-Type: api/response\nContent-Length: 2\n\nok")]
    public async Task Nonsense_ends_the_connection_with_an_error(string said)
    {
        using ScriptedPeer peer = EslPeer.LogsIn(async (stream, _) =>
        {
            // The last one is a message too many: the reply to a command that was never sent.
            await ScriptedPeer.SayAsync(stream, said + said);
            return true;
        });
        await using ISipAdapter adapter = await EslPeer.ConnectAsync(peer.Port);
        SipConnectionException error = await Assert.ThrowsAsync<SipConnectionException>(() => Ask(adapter, adapter).WaitAsync(Limit));
        // Either the question broke with it, or it came after.
        Assert.True(error.InnerException is SipProtocolException || adapter.Server.LastError!.Contains("never sent", StringComparison.Ordinal), error.ToString());
    }

    [Fact]
    public async Task The_reply_of_a_command_that_nobody_waits_for_is_not_anothers()
    {
        int count = 0;
        using ScriptedPeer peer = EslPeer.LogsIn(async (stream, _) =>
        {
            // The first is answered together with the second.
            if (++count == 1) return true;
            await ScriptedPeer.SayAsync(stream, "Content-Type: api/response\nContent-Length: 5\n\nfirstContent-Type: api/response\nContent-Length: 6\n\nsecond");
            return true;
        });
        await using ISipAdapter adapter = await EslPeer.ConnectAsync(peer.Port, requestSeconds: 1);
        SipTimeoutException late = await Assert.ThrowsAsync<SipTimeoutException>(() => EslPeer.AskAsync(adapter).WaitAsync(Limit));
        Assert.True(late.OutcomeUnknown);
        Assert.Equal("second", Assert.Single((await EslPeer.AskAsync(adapter).WaitAsync(Limit)).Output));
    }

    [Fact]
    public async Task Bytes_are_counted_not_characters_and_messages_follow_each_other_at_once()
    {
        using ScriptedPeer peer = EslPeer.LogsIn(async (stream, _) =>
        {
            byte[] bytes = Encoding.UTF8.GetBytes("Content-Length: 31\nContent-Type: text/event-json\n\n{\"Event-Name\":\"X\",\"a\":\"caf\u00e9 \u6f22\"}Content-Type: api/response\nContent-Length: 5\n\ncaf\u00e9");
            bytes = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes).Replace("Content-Length: 31", $"Content-Length: {Encoding.UTF8.GetByteCount("{\"Event-Name\":\"X\",\"a\":\"caf\u00e9 \u6f22\"}")}", StringComparison.Ordinal));
            foreach (byte b in bytes) await stream.WriteAsync(new[] { b });
            return true;
        });
        await using ISipAdapter adapter = await EslPeer.ConnectAsync(peer.Port);
        Assert.Equal("caf\u00e9", Assert.Single((await EslPeer.AskAsync(adapter).WaitAsync(Limit)).Output));
    }

    [Fact]
    public async Task A_peer_that_falls_silent_is_given_up()
    {
        using ScriptedPeer peer = EslPeer.LogsIn((_, _) => Task.FromResult(true));
        await using ISipAdapter adapter = await EslPeer.ConnectAsync(peer.Port, requestSeconds: 1, keepAlive: 1);
        using ISipEventSubscription events = adapter.Subscribe(SipEventTypes.ConnectionStateChanged);
        using var limit = new CancellationTokenSource(Limit);
        while (adapter.Server.State == ConnectionState.Connected) await events.ReadAsync(limit.Token);
        Assert.Contains("does not answer any more", adapter.Server.LastError, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("it's", @"it\\\\\\\'s")]
    [InlineData("a,b", @"a\\,b")]
    [InlineData("a b", @"a\sb")]
    public void Values_are_encoded_as_was_shown_to_come_back(string value, string sent) => Assert.Equal(sent, FreeSwitchCommands.Encode(value, "Variable", value));

    [Theory]
    [InlineData("a\nb")]
    [InlineData("a\rb")]
    [InlineData("a\0b")]
    [InlineData("${x}")]
    [InlineData("a{b")]
    [InlineData("a}b")]
    [InlineData("}{")]
    [InlineData(" a")]
    [InlineData("a ")]
    public void What_cannot_be_carried_is_refused(string value) => Assert.Equal("Variable", Assert.Throws<SipArgumentException>(() => FreeSwitchCommands.Encode(value, "Variable", value)).Parameter);

    [Fact]
    public void Hostile_values_are_refused_or_stay_one_line_with_one_destination()
    {
        string[] pieces =
        [
            "1001", "user/1001", "sofia/gateway/a/1", "\r\n", "\n", "\0", ",", "|", ":_:", "${system(x)}", "$${x}", "{", "}", "[", "]", "'", "\"", "\\", " ", "&park()", "&system(x)", ")", "(", "=", ";", "<", ">",
            "loopback/app=system:x", "undef", "inline", "XML", "@", "/", "..", "%", "^^:", "\u00e9", "\ud800", "Job-UUID: x", "execute_on_answer", "api_on_ring", new string('x', 300),
        ];
        var random = new Random(20_261_123);
        int sent = 0, refused = 0;
        for (int i = 0; i < 40_000; i++)
        {
            string Value() => string.Concat(Enumerable.Range(0, random.Next(1, 4)).Select(_ => pieces[random.Next(pieces.Length)]));
            string? Maybe() => random.Next(3) == 0 ? Value() : null;
            bool one = random.Next(3) == 0;
            var request = new SipCallRequest
            {
                From = one ? null : random.Next(2) == 0 ? "1001" : Value(),
                To = random.Next(2) == 0 ? "1002" : Value(),
                CallerId = Maybe(),
                Context = Maybe(),
                Application = one ? random.Next(2) == 0 ? "park" : Value() : null,
                ApplicationData = one ? Maybe() : null,
                Variables = random.Next(2) == 0 ? [] : [KeyValuePair.Create(random.Next(2) == 0 ? "v" : Value(), Value())],
            };
            try
            {
                string command = FreeSwitchCommands.Originate(request, "11111111-2222-4333-8444-555555555555", new SipServerConfiguration(), null, out _, out IReadOnlyList<string> legs);
                sent++;
                Assert.Single(legs);
                Assert.DoesNotContain(command, c => c is '\r' or '\n' or '\0');
                // Split at blanks as the server does first: verb, variables with dial string, destination of one word or of three.
                string[] words = command.Split(' ');
                Assert.Equal("originate", words[0]);
                Assert.True(words.Length is 3 or 5, command);
                Assert.Equal(one || words[2].StartsWith('&') ? 3 : 5, words.Length);
                if (words.Length == 5) Assert.Equal("XML", words[3]);
                // The variables end where their brace closes, and one endpoint follows.
                string dial = words[1][(words[1].LastIndexOf("}[origination_uuid=", StringComparison.Ordinal) + 1)..];
                Assert.DoesNotContain(dial[dial.IndexOf(']', StringComparison.Ordinal)..], c => ",|&${}'\"\\()<>".Contains(c, StringComparison.Ordinal));
                Assert.DoesNotContain(":_:", words[1], StringComparison.Ordinal);
                Assert.DoesNotContain("${", words[1], StringComparison.Ordinal);
            }
            catch (SipArgumentException e)
            {
                refused++;
                Assert.Contains(e.Parameter, (string[])["From", "To", "CallerId", "Context", "Application", "ApplicationData", "Variable"]);
                Assert.DoesNotContain(e.Message, char.IsControl);
            }
        }

        Assert.InRange(sent, 1_000, 39_000);
        Assert.InRange(refused, 1_000, 39_000);
    }

    // The first may still be answered before the connection breaks.
    private static async Task<SipCommandResult> Ask(ISipAdapter first, ISipAdapter second)
    {
        await EslPeer.AskAsync(first);
        return await EslPeer.AskAsync(second);
    }
}
