using System.Buffers;
using IfBus.Sip.Adapters.Asterisk;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>Nothing that a caller passes becomes another header, another action, or another channel.</summary>
public sealed class CommandsTests
{
    [Fact]
    public void Several_hostile_values_at_once_are_refused_or_stay_where_they_belong()
    {
        var random = new Random(20_261_123);
        int sent = 0, refused = 0;
        for (int i = 0; i < 20_000; i++)
        {
            string Value() => HostileValues.One(random);
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
                List<List<(string Name, string Value)>> read = ManagerActions.All(Bytes(action));
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
        Assert.InRange(sent, 300, 19_700);
        Assert.InRange(refused, 300, 19_700);
    }

    [Fact]
    public void Hostile_raw_commands_are_refused_or_are_one_action()
    {
        var random = new Random(7);
        for (int i = 0; i < 20_000; i++)
        {
            string Value() => HostileValues.One(random);
            var fields = Enumerable.Range(0, random.Next(4)).Select(_ => KeyValuePair.Create(random.Next(2) == 0 ? "Channel" : Value(), Value())).ToList();
            try
            {
                AmiAction action = AsteriskCommands.Raw(new SipCommandRequest(random.Next(2) == 0 ? "Getvar" : Value(), fields));
                List<(string Name, string Value)> only = Assert.Single(ManagerActions.All(Bytes(action)));
                Assert.Equal(fields.Select(f => (f.Key, f.Value)), only.Skip(2));
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

    [Fact]
    public void The_reader_of_these_tests_reads_as_the_server_does()
    {
        Assert.Equal([[("A", "b")], [("C", "d e")]], ManagerActions.All("A: b\n\nC:  d e\r\n\r\n"u8));
        Assert.Equal([[("Error", "Missing action in request")], [("A", "b")]], ManagerActions.All("\r\nA:b\0c\r\n\r\n"u8));
        Assert.Equal("line too long", ManagerActions.All(System.Text.Encoding.ASCII.GetBytes($"A: {new string('x', 1020)}\r\n\r\n"))[0][0].Value);
        Assert.Equal("Too many lines", ManagerActions.All(System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("A: b\r\n", 129)) + "\r\n"))[0][0].Value);
        Assert.Equal(128, ManagerActions.All(System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("A: b\r\n", 128)) + "\r\n"))[0].Count);
    }

    [Fact]
    public void An_action_of_128_lines_is_the_longest()
    {
        KeyValuePair<string, string>[] most = [.. Enumerable.Range(0, 126).Select(i => KeyValuePair.Create("Variable", $"V{i}=1"))];
        Assert.Equal(128, Assert.Single(ManagerActions.All(Bytes(AsteriskCommands.Raw(new SipCommandRequest("Frob", most))))).Count);
        SipArgumentException error = Assert.Throws<SipArgumentException>(() => AsteriskCommands.Raw(new SipCommandRequest("Frob", [.. most, KeyValuePair.Create("Variable", "V126=1")])));
        Assert.Equal(("Field", "V126=1"), (error.Parameter, error.Value));
    }

    private static byte[] Bytes(AmiAction action)
    {
        var writer = new ArrayBufferWriter<byte>();
        action.WriteTo(writer, "p-"u8, 7);
        return writer.WrittenSpan.ToArray();
    }
}
