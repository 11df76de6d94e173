namespace IfBus.Sip.Simulators.Yate;

/// <summary>A conference room.</summary>
internal sealed class ConferenceRoom
{
    private readonly ConferenceDriver _driver;
    private readonly List<ConferenceChannel> _legs = [];
    private readonly int _maxUsers;
    private readonly string _notify;
    private bool _lonely;
    private bool _new = true;
    private int _users;
    private ConferenceChannel? _recorder;

    public ConferenceRoom(ConferenceDriver driver, string name, YateMessage message)
    {
        (_driver, Name, _maxUsers, _notify) = (driver, name, message.Int("maxusers", 10), message["notify"] ?? "");
        if (message.Has("lonely")) SetLonely(message["lonely"]!);
        // The room is known before it is recorded.
        driver.Rooms[name] = this;
        SetRecording(message);
        if (_notify.Length == 0) return;
        YateMessage created = driver.Engine.NewMessage("chan.notify");
        created.Set("targetid", _notify).Set("event", "created").Set("room", name).Set("rate", "8000").Set("maxusers", YateText.Word(_maxUsers));
        created.Set("caller", message["caller"]).Set("called", message["called"]).Set("billid", message["billid"]).Set("username", message["username"]);
        driver.Engine.Enqueue(created);
    }

    public string Name { get; }

    public bool Full => _users >= _maxUsers;

    public void SetLonely(string value)
    {
        if (_users == 0) _lonely = YateText.Boolean(value) ?? YateText.Number(value) >= 0;
    }

    public void Add(ConferenceChannel leg)
    {
        _legs.Add(leg);
        if (leg.Counted) _users++;
        if (_notify.Length > 0 && !leg.Utility) Notify(leg, "joined");
    }

    public void Remove(ConferenceChannel leg)
    {
        if (leg == _recorder) _recorder = null;
        if (_legs.Remove(leg) && leg.Counted) _users--;
        if (_notify.Length > 0 && !leg.Utility) Notify(leg, "left");
        // Nobody is left but recorders, or one alone who does not want to be.
        if (_users == 0 || (!_lonely && _users == 1)) DropAll("hangup");
        if (_legs.Count > 0 || !_driver.Rooms.Remove(Name) || _notify.Length == 0) return;
        YateMessage destroyed = _driver.Engine.NewMessage("chan.notify");
        destroyed.Set("targetid", _notify).Set("event", "destroyed").Set("room", Name).Set("maxusers", YateText.Word(_maxUsers));
        _driver.Engine.Enqueue(destroyed);
    }

    public void DropAll(string? reason)
    {
        foreach (ConferenceChannel leg in _legs.ToArray())
        {
            leg.Ref();
            leg.Disconnect(reason);
            leg.Deref();
        }
    }

    /// <summary>Says in a message how many are in the room, and if it was made for it.</summary>
    public void Describe(YateMessage message)
    {
        message.Set("newroom", _new).Set("users", YateText.Word(_users));
        _new = false;
    }

    public string StatusText() =>
        $"name=conf/{Name},type=conference;module=conf,room={Name},maxusers={_maxUsers},lonely={YateText.Word(_lonely)},expire=0,rate=8000,users={_users},chans={_legs.Count},owners=0{(_notify.Length > 0 ? ",notify=" + _notify : "")}\r\n";

    /// <summary>Starts or stops the recording, if the message says something of one.</summary>
    public bool SetRecording(YateMessage message)
    {
        if (message["record"] is not { } record) return false;
        if (_recorder is { } before)
        {
            _recorder = null;
            before.Ref();
            before.Disconnect(message["reason"] ?? "hangup");
            before.Deref();
        }

        if (record is "" or "-" || YateText.Boolean(record) == false) return true;
        _recorder = new ConferenceChannel(_driver, this);
        _recorder.Begin();
        YateMessage call = _recorder.Message("call.execute");
        call.About = _recorder;
        call.Set("callto", record).Set("cdrtrack", false);
        foreach (string name in (string[])["caller", "called", "billid", "username", "maxlen", "notify"]) call.Set(name, message[name]);
        call.Add("room", Name);
        if (_notify.Length > 0) call.Set("targetid", _notify);
        _driver.Engine.Enqueue(call);
        if (_notify.Length > 0)
        {
            YateMessage told = _driver.Engine.NewMessage("chan.notify");
            told.About = _recorder;
            _recorder.Complete(told, minimal: true);
            told.Add("id", _recorder.Id).Add("targetid", _notify);
            _recorder.Describe(told);
            told.Add("event", "recording").Add("maxusers", YateText.Word(_maxUsers)).Add("users", YateText.Word(_users)).Add("record", record);
            _driver.Engine.Enqueue(told);
        }

        _recorder.Deref();
        return true;
    }

    private void Notify(ConferenceChannel leg, string what)
    {
        YateMessage message = _driver.Engine.NewMessage("chan.notify");
        message.Set("id", leg.Id).Set("targetid", _notify);
        leg.Describe(message);
        message.Set("event", what).Set("maxusers", YateText.Word(_maxUsers)).Set("users", YateText.Word(_users));
        if (what == "left" && _lonely) message.Set("lonely", _users == 1);
        if (leg.LastPeerId.Length > 0) message.Set("lastpeerid", leg.LastPeerId);
        _driver.Engine.Enqueue(message);
    }
}
