using System.Globalization;
using System.Text;
using IfBus.Sip.Adapters;
using IfBus.Sip.Adapters.FreeSwitch;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>When things happened is told by the server's stamps, in our time, however late its events are read.</summary>
public sealed class EventTimeTests
{
    private readonly DateTime _start = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private readonly FakeTimeProvider _time;
    private readonly FreeSwitchMapper _mapper;

    public EventTimeTests()
    {
        _time = new FakeTimeProvider(_start);
        var hub = new EventHub("times", SipServerType.FreeSwitch, 100, _time, NullLogger.Instance);
        Calls = new CallTable("times", SipServerType.FreeSwitch, hub, 100, _time, NullLogger.Instance);
        _mapper = new FreeSwitchMapper("times", Calls, hub, new DetailRecordStore<FreeSwitchCall>(0), _time);
    }

    private CallTable Calls { get; }

    [Fact]
    public void The_first_answer_that_is_read_late_was_not_late()
    {
        _mapper.Expect(new FreeSwitchCall("u", ours: true) { CreatedAt = _start }, ["u"]);
        Tell("CHANNEL_CREATE", 0.1, read: 0.1);
        Tell("CHANNEL_ANSWER", 0.2, read: 0.9);
        Tell("CHANNEL_HANGUP_COMPLETE", 2, read: 2);
        SipCall call = Assert.Single(Calls.SnapshotEnded());
        Assert.Equal((_start.AddSeconds(0.2), _start.AddSeconds(2), TimeSpan.FromSeconds(1.8)), (call.AnsweredAt, call.EndedAt, call.BillableDuration));
    }

    private void Tell(string name, double happened, double read)
    {
        _time.SetUtcNow(_start.AddSeconds(read));
        long stamp = (_start.AddSeconds(happened) - DateTime.UnixEpoch).Ticks / 10;
        string json = string.Create(CultureInfo.InvariantCulture, $$"""{"Event-Name":"{{name}}","Unique-ID":"u","Event-Date-Timestamp":"{{stamp}}","Hangup-Cause":"NORMAL_CLEARING"}""");
        _mapper.OnReadBegins();
        _mapper.OnEvent(Encoding.ASCII.GetBytes(name), Encoding.ASCII.GetBytes(json));
        _mapper.OnReadEnds();
    }
}
