namespace IfBus.Sip.Simulators.Yate;

/// <summary>Conference rooms and their legs.</summary>
internal sealed class ConferenceDriver(YateEngine engine) : YateDriver(engine, "conf")
{
    private int _named;

    public Dictionary<string, ConferenceRoom> Rooms { get; } = [];

    public override ValueTask<bool> ExecuteAsync(YateMessage message, string address)
    {
        bool utility = message.Bool("utility");
        bool counted = message.Bool("counted", !utility);
        if (!CanEnter(ref address, message.Bool("existing"), counted) || message.About is not { } caller) return new(false);
        var leg = new ConferenceChannel(this, address, message, counted, utility);
        leg.Begin();
        bool connected = caller.Connect(leg, message["reason"]);
        if (connected)
        {
            message.Set("peerid", leg.Id).Set("room", Prefix + address);
            leg.Room.Describe(message);
        }

        leg.Deref();
        return new(connected);
    }

    /// <summary>Installs what only rooms have.</summary>
    public void InstallMore()
    {
        Engine.Install("chan.dtmf", 75, Name, static _ => new(false));
        Engine.Install("call.conference", 150, Name, m => new(Conference(m)));
        Engine.Install("chan.hangup", 150, Name, static _ => new(false));
    }

    public ConferenceRoom Enter(string name, YateMessage message)
    {
        if (!Rooms.TryGetValue(name, out ConferenceRoom? room)) Rooms[name] = room = new ConferenceRoom(this, name, message);
        else if (message.Has("lonely")) room.SetLonely(message["lonely"]!);
        return room;
    }

    protected override string Counters() => base.Counters() + $",rooms={Rooms.Count}";

    protected override bool DropOther(YateMessage message, string id)
    {
        if (!Rooms.TryGetValue(id, out ConferenceRoom? room)) return false;
        room.DropAll(message["reason"]);
        return true;
    }

    protected override string? StatusOfOther(string id) => Rooms.TryGetValue(id, out ConferenceRoom? room) ? room.StatusText() : null;

    private bool CanEnter(ref string name, bool existing, bool counted)
    {
        if (Rooms.TryGetValue(name, out ConferenceRoom? room)) return !(counted && room.Full);
        if (existing) return false;
        if (name.Length == 0) name = $"x-{++_named}";
        return true;
    }

    // The leg of the message goes into the room, and its peer with it; without a leg the room is told something.
    private bool Conference(YateMessage message)
    {
        string name = message["room"] ?? "";
        if (name.Length > 0 && (!name.StartsWith(Prefix, StringComparison.Ordinal) || name.Length == Prefix.Length)) return false;
        if (name.Length > 0) name = name[Prefix.Length..];
        if (message.About is not { } caller)
        {
            if (!Rooms.TryGetValue(name, out ConferenceRoom? told)) return false;
            bool recorded = told.SetRecording(message);
            told.Describe(message);
            return recorded;
        }

        bool utility = message.Bool("utility");
        bool counted = message.Bool("counted", !utility);
        if (caller is ConferenceChannel || !CanEnter(ref name, message.Bool("existing"), counted)) return false;
        YateEndpoint? peer = caller.Peer;
        if (peer is ConferenceChannel inRoom)
        {
            if (inRoom.Address == name) return true;
            peer = null;
        }

        peer?.Ref();
        string reason = message["reason"] ?? "conference";
        var leg = new ConferenceChannel(this, name, message, counted, utility);
        leg.Begin();
        bool connected = caller.Connect(leg, reason, notify: false);
        if (connected)
        {
            message.Set("peerid", leg.Id).Set("room", Prefix + name);
            if (peer is not null)
            {
                var other = new ConferenceChannel(this, name, message, counted, utility);
                other.Begin();
                peer.Connect(other, reason, notify: false);
                other.Deref();
            }

            leg.Room.Describe(message);
        }

        leg.Deref();
        peer?.Deref();
        return connected;
    }
}

/// <summary>The engine's end of somebody in a room.</summary>
internal sealed class ConferenceChannel : YateChannel
{
    public ConferenceChannel(ConferenceDriver driver, string name, YateMessage message, bool counted, bool utility)
        : base(driver, outgoing: true)
    {
        (Address, Counted, Utility) = (name, counted, utility);
        Room = driver.Enter(name, message);
        if (!utility) SetLimits(message, Engine.Options.Timeout);
        Room.Add(this);
    }

    /// <summary>The leg that a room is recorded by.</summary>
    public ConferenceChannel(ConferenceDriver driver, ConferenceRoom room)
        : base(driver, outgoing: false)
    {
        (Address, Utility, Room) = (room.Name, true, room);
        Room.Add(this);
    }

    public ConferenceRoom Room { get; }

    public bool Counted { get; }

    public bool Utility { get; }

    public bool Mute { get; private set; }

    public override string StatusText() => base.StatusText() + (Utility ? "" : Mute ? ",mute=true,signal=false" : ",mute=false,signal=true,noise=8,energy=8");

    public override bool Control(YateMessage message)
    {
        base.Control(message);
        if (Utility || YateText.Boolean(message["mute"]) is not { } mute) return false;
        Mute = mute;
        return true;
    }

    /// <summary>What every message about it has.</summary>
    public void Describe(YateMessage message) => message.Set("counted", Counted).Set("utility", Utility).Set("room", Address);

    protected override void Ended()
    {
        base.Ended();
        Room.Remove(this);
    }
}
