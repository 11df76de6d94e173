namespace IfBus.Sip.Simulators.Yate;

/// <summary>Music on hold. Its ends are no channels: nothing is said of them.</summary>
internal sealed class MohModule(YateEngine engine)
{
    private readonly Dictionary<string, Place> _places = [];
    private int _made;
    private int _parked;

    /// <summary>Legs that hear music.</summary>
    public int Count { get; private set; }

    public int Sources => Count > 0 ? 1 : 0;

    public void Reset()
    {
        (_made, Count, _parked) = (0, 0, 0);
        _places.Clear();
    }

    public void Install()
    {
        engine.Install("call.execute", 100, "moh", Execute);
        engine.Install("call.execute", 100, "park", m => new(Park(m)));
        engine.Install("chan.attach", 100, "moh", m => new(m.About is not null && (m["source"] ?? "").StartsWith("moh/", StringComparison.Ordinal) && !m.Has("consumer")));
        engine.Install("chan.locate", 100, "park", m =>
        {
            if (m["id"] is not { } id || !_places.TryGetValue(id, out Place? place)) return new(false);
            m.About = place;
            return new(true);
        });
    }

    private ValueTask<bool> Execute(YateMessage message)
    {
        if (!(message["callto"] ?? "").StartsWith("moh/", StringComparison.Ordinal) || message.About is not { } caller) return new(false);
        var music = new End(this, engine, $"moh/{++_made}");
        bool connected = caller.Connect(music, message["reason"]);
        if (connected) message.Set("peerid", music.Id);
        music.Deref();
        return new(connected);
    }

    private bool Park(YateMessage message)
    {
        if (!(message["callto"] ?? "").StartsWith("park/", StringComparison.Ordinal) || message.About is not { } caller) return false;
        var place = new Place(this, engine, $"park/{++_parked}");
        bool connected = caller.Connect(place, message["reason"]);
        if (connected)
        {
            place.TargetId = caller.Id;
            message.Set("peerid", place.Id).Set("targetid", place.Id);
            YateMessage startup = engine.NewMessage("chan.startup");
            startup.Set("driver", "park").Set("id", place.Id).Set("status", "outgoing").Set("cdrwrite", false).Set("caller", message["caller"]).Set("called", message["called"]);
            engine.Enqueue(startup);
            YateMessage ringing = engine.NewMessage("call.ringing");
            ringing.Set("driver", "park").Set("id", place.Id).Set("status", "ringing").Set("targetid", caller.Id).Set("peerid", caller.Id);
            engine.Enqueue(ringing);
        }

        place.Deref();
        return connected;
    }

    private sealed class End : YateEndpoint
    {
        private readonly MohModule _module;

        public End(MohModule module, YateEngine engine, string id)
            : base(engine, id)
        {
            _module = module;
            module.Count++;
        }

        protected override void Ended() => _module.Count--;
    }

    private sealed class Place : YateEndpoint
    {
        private readonly MohModule _module;
        private string? _reason;

        public Place(MohModule module, YateEngine engine, string id)
            : base(engine, id)
        {
            _module = module;
            module._places[id] = this;
        }

        public string TargetId { get; set; } = "";

        protected override void Disconnected(string? reason) => _reason = reason;

        protected override void Ended()
        {
            _module._places.Remove(Id);
            YateMessage hangup = Engine.NewMessage("chan.hangup");
            hangup.Set("driver", "park").Set("id", Id).Set("targetid", TargetId);
            if (_reason is not null) hangup.Set("reason", _reason);
            Engine.Enqueue(hangup);
        }
    }
}
