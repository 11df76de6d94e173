using System.Buffers;
using System.Text;
using IfBus.Sip.Adapters.Asterisk;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>Nothing that a caller passes becomes another header, another action, or another channel.</summary>
public sealed class CommandsTests
{
    private static readonly string[] Pieces =
    [
        "1001", "PJSIP/1001", "Local/a@b", "sip:bob@example.org", "\r\n", "\n", "\r", "\0", ",", "&", "|", "${SHELL(id)}", "\"", "\\", "<", ">", "'", " ", "\t", "Ann <1>", "é", "漢", "\ud800",
        "Action: Hangup", "\r\n\r\nAction: Originate\r\n", ":", "=", "..", "/", "@", ";", "%0a", "\u2028", "\u0085", new string('x', 1100), "A", "_", "__", "(1,2)", "[1,2]", "^", "!", "?", "*", "#",
    ];

    [Fact]
    public void Hostile_values_are_refused_or_stay_where_they_belong()
    {
        var random = new Random(20_261_123);
        int sent = 0, refused = 0;
        for (int i = 0; i < 60_000; i++)
        {
            string Value() => string.Concat(Enumerable.Range(0, random.Next(1, 4)).Select(_ => Pieces[random.Next(Pieces.Length)]));
            string? Maybe() => random.Next(3) == 0 ? Value() : null;
            bool one = random.Next(3) == 0;
            var request = new SipCallRequest
            {
                From = one ? null : random.Next(2) == 0 ? "1001" : Value(),
                To = random.Next(2) == 0 ? "1002" : Value(),
                CallerId = Maybe(),
                Context = Maybe(),
                Application = one ? random.Next(2) == 0 ? "Wait" : Value() : null,
                ApplicationData = one ? Maybe() : null,
                Variables = random.Next(2) == 0 ? [] : [KeyValuePair.Create(random.Next(2) == 0 ? "V" : Value(), Value())],
            };
            try
            {
                const string Id = "11111111-2222-4333-8444-555555555555";
                AmiAction action = AsteriskCommands.Originate(request, Id, new SipServerConfiguration(), out _);
                List<List<(string Name, string Value)>> read = ReadAsServer(Bytes(action));
                sent++;
                List<(string Name, string Value)> only = Assert.Single(read);
                Assert.Equal(("Action", "Originate"), only[0]);
                Assert.Equal(("ActionID", "p-7"), only[1]);
                string[] allowed = ["Action", "ActionID", "Channel", "Context", "Exten", "Priority", "Application", "Data", "Timeout", "CallerID", "Variable", "ChannelId", "Async"];
                Assert.All(only, h => Assert.Contains(h.Name, allowed));
                foreach (string name in allowed.Except(["Variable"])) Assert.True(only.Count(h => h.Name == name) <= 1, name);
                Assert.Equal(1 + request.Variables.Count, only.Count(h => h.Name == "Variable"));
                string channel = only.Single(h => h.Name == "Channel").Value;
                Assert.DoesNotContain(channel, c => ",&|${}\"\\<> ".Contains(c, StringComparison.Ordinal));
                Assert.Equal(Id, only.Single(h => h.Name == "ChannelId").Value);
                if (only.Find(h => h.Name == "Data").Value is { } data && only.Exists(h => h is ("Application", "Dial")) && !one) Assert.Equal(1, data.Count(c => c == ','));
                foreach ((string key, string value) in request.Variables)
                {
                    Assert.Contains(only, h => h == ("Variable", $"{key}={value}"));
                    Assert.DoesNotContain(',', value);
                }
            }
            catch (SipArgumentException e)
            {
                refused++;
                Assert.Contains(e.Parameter, (string[])["From", "To", "CallerId", "Context", "Application", "ApplicationData", "Variable", "Play", "Data"]);
                Assert.NotEmpty(e.Rule);
                Assert.DoesNotContain(e.Message, char.IsControl);
            }
        }

        // Both ends of the test have been seen.
        Assert.InRange(sent, 1_000, 59_000);
        Assert.InRange(refused, 1_000, 59_000);
    }

    [Fact]
    public void Hostile_raw_commands_are_refused_or_are_one_action()
    {
        var random = new Random(7);
        for (int i = 0; i < 20_000; i++)
        {
            string Value() => string.Concat(Enumerable.Range(0, random.Next(1, 3)).Select(_ => Pieces[random.Next(Pieces.Length)]));
            var fields = Enumerable.Range(0, random.Next(4)).Select(_ => KeyValuePair.Create(random.Next(2) == 0 ? "Channel" : Value(), Value())).ToList();
            try
            {
                AmiAction action = AsteriskCommands.Raw(new SipCommandRequest(random.Next(2) == 0 ? "Getvar" : Value(), fields));
                List<(string Name, string Value)> only = Assert.Single(ReadAsServer(Bytes(action)));
                Assert.Equal(fields.Select(f => (f.Key, f.Value.TrimStart(' '))), only.Skip(2));
            }
            catch (SipArgumentException e)
            {
                Assert.DoesNotContain(e.Message, char.IsControl);
            }
        }
    }

    [Theory]
    [InlineData("Login")]
    [InlineData("logoff")]
    [InlineData("Events")]
    [InlineData("WaitEvent")]
    [InlineData("Filter")]
    [InlineData("Originate")]
    public void Commands_that_would_take_the_connection_away_are_refused(string name) =>
        Assert.Throws<SipArgumentException>(() => AsteriskCommands.Raw(new SipCommandRequest(name, [])));

    [Theory]
    [InlineData("1001", "PJSIP/{0}", "PJSIP/1001")]
    [InlineData("+33123456789", "PJSIP/{0}@trunk", "PJSIP/+33123456789@trunk")]
    [InlineData("SIP/x", "PJSIP/{0}", "SIP/x")]
    [InlineData("sip:bob@example.org", "PJSIP/{0}@trunk", "PJSIP/trunk/sip:bob@example.org")]
    [InlineData("sip:bob@example.org;transport=tcp", "PJSIP/trunk/sip:{0}@x", "PJSIP/trunk/sip:bob@example.org;transport=tcp")]
    public void Numbers(string value, string template, string channel) => Assert.Equal(channel, AsteriskNumbers.Channel(value, template, "From"));

    [Theory]
    [InlineData("sip:bob@example.org")]
    [InlineData("PJSIP/1&PJSIP/2")]
    [InlineData("PJSIP/1,20")]
    [InlineData("a b")]
    [InlineData("")]
    [InlineData("/x")]
    [InlineData("PJSIP/")]
    public void Refused_numbers(string value)
    {
        SipArgumentException error = Assert.Throws<SipArgumentException>(() => AsteriskNumbers.Channel(value, "PJSIP/{0}", "From"));
        Assert.Equal(("From", value), (error.Parameter, error.Value));
    }

    private static byte[] Bytes(AmiAction action)
    {
        var writer = new ArrayBufferWriter<byte>();
        action.WriteTo(writer, "p-"u8, 7);
        return writer.WrittenSpan.ToArray();
    }

    // As the server reads: LF alone ends a line, a CR before it is left out, NUL cuts the line, two line ends end the
    // action, blanks after the colon are skipped, over 1022 bytes is an error.
    private static List<List<(string Name, string Value)>> ReadAsServer(byte[] bytes)
    {
        var actions = new List<List<(string, string)>>();
        var current = new List<(string, string)>();
        string text = Encoding.UTF8.GetString(bytes);
        Assert.EndsWith("\r\n\r\n", text, StringComparison.Ordinal);
        foreach (string raw in text.Split('\n')[..^1])
        {
            string line = raw.EndsWith('\r') ? raw[..^1] : raw;
            Assert.InRange(Encoding.UTF8.GetByteCount(line), 0, 1022);
            Assert.DoesNotContain('\0', line);
            if (line.Length == 0)
            {
                actions.Add(current);
                current = [];
                continue;
            }

            int colon = line.IndexOf(':', StringComparison.Ordinal);
            Assert.True(colon > 0, line);
            current.Add((line[..colon], line[(colon + 1)..].TrimStart(' ')));
        }

        Assert.Empty(current);
        return actions;
    }
}
