using System.Text;
using IfBus.Sip.Adapters;
using IfBus.Sip.Adapters.FreeSwitch;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>When a call to an extension has arrived, by the applications that its channel executes.</summary>
public sealed class DestinationTests
{
    [Theory]
    // What talks by itself.
    [InlineData("echo", "", true)]
    [InlineData("playback", "welcome.wav", true)]
    [InlineData("conference", "3000@default", true)]
    [InlineData("voicemail", "default x 1001", true)]
    [InlineData("park", "", true)]
    [InlineData("ivr", "menu", true)]
    // What only prepares.
    [InlineData("set", "a=b", false)]
    [InlineData("answer", "", false)]
    [InlineData("ring_ready", "", false)]
    [InlineData("execute_extension", "x XML default", false)]
    [InlineData("Transfer", "1000", false)]
    // What dials: the bridge tells.
    [InlineData("bridge", "user/1001", false)]
    [InlineData("BRIDGE", "user/1001", false)]
    // What does what its script or its queue says.
    [InlineData("lua", "dial.lua", false)]
    [InlineData("socket", "127.0.0.1:8084 async full", false)]
    [InlineData("javascript", "dial.js", false)]
    [InlineData("python", "dial", false)]
    [InlineData("perl", "dial.pl", false)]
    [InlineData("httapi", "{url=http://x}", false)]
    [InlineData("fifo", "queue in", false)]
    [InlineData("callcenter", "support@default", false)]
    [InlineData("erlang", "dial:run node@host", false)]
    // A pause.
    [InlineData("sleep", "1", false)]
    [InlineData("sleep", "10000", false)]
    [InlineData("sleep", "10001", true)]
    [InlineData("sleep", "86400000", true)]
    [InlineData("sleep", "", false)]
    [InlineData("Sleep", "x", false)]
    public void What_an_application_says_of_it(string application, string data, bool arrived) => Assert.Equal(arrived, FreeSwitchApplications.IsDestination(application, data));

    [Fact]
    public void A_script_that_dials_is_connected_when_the_one_it_dials_has_answered()
    {
        var followed = new Followed();
        followed.Tell("CHANNEL_ANSWER", "a");
        followed.Tell("CHANNEL_EXECUTE", "a", ("Application", "lua"), ("Application-Data", "dial.lua"));
        Assert.NotEqual(CallState.Connected, followed.State);
        followed.Tell("CHANNEL_EXECUTE", "a", ("Application", "set"), ("Application-Data", "x=y"));
        followed.Tell("CHANNEL_EXECUTE", "a", ("Application", "bridge"), ("Application-Data", "user/1"));
        followed.Tell("CHANNEL_CREATE", "b", ("Other-Leg-Unique-ID", "a"));
        Assert.NotEqual(CallState.Connected, followed.State);
        followed.Tell("CHANNEL_ANSWER", "b");
        followed.Tell("CHANNEL_BRIDGE", "a", ("Bridge-A-Unique-ID", "a"), ("Bridge-B-Unique-ID", "b"));
        Assert.Equal(CallState.Connected, followed.State);
    }

    [Fact]
    public void A_script_that_talks_is_connected_when_it_talks()
    {
        var followed = new Followed();
        followed.Tell("CHANNEL_ANSWER", "a");
        followed.Tell("CHANNEL_EXECUTE", "a", ("Application", "socket"), ("Application-Data", "127.0.0.1:8084"));
        Assert.NotEqual(CallState.Connected, followed.State);
        followed.Tell("CHANNEL_EXECUTE", "a", ("Application", "playback"), ("Application-Data", "welcome.wav"));
        Assert.Equal(CallState.Connected, followed.State);
    }

    // A call of ours to an extension, by its events alone.
    private sealed class Followed
    {
        private readonly FreeSwitchMapper _mapper;
        private readonly FreeSwitchCall _call = new("a", ours: true) { HasDestination = true };

        public Followed()
        {
            var time = new FakeTimeProvider();
            var events = new EventHub("s", SipServerType.FreeSwitch, 100, time, NullLogger.Instance);
            var calls = new CallTable("s", SipServerType.FreeSwitch, events, 10, time, NullLogger.Instance);
            _mapper = new FreeSwitchMapper("s", calls, events, new DetailRecordStore<FreeSwitchCall>(10), time);
            _mapper.Expect(_call, ["a"]);
            Tell("CHANNEL_CREATE", "a");
        }

        public CallState State => _call.State;

        public void Tell(string name, string leg, params (string Name, string Value)[] more) =>
            _mapper.OnEvent(Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes($"{{\"Event-Name\":\"{name}\",\"Unique-ID\":\"{leg}\"{string.Concat(more.Select(m => $",\"{m.Name}\":\"{m.Value}\""))}}}"));
    }
}
