namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>The part of the switchboard that makes legs and lets phones ring, refuse and answer.</summary>
internal sealed partial class Switchboard
{
    private long _sessions;
    private int _peak;
    private long _second;
    private int _inSecond;
    private int _peakInSecond;
    private int _lastInSecond;
    private int _mediaPort = 16384;

    /// <summary>Legs that may exist.</summary>
    public int MaxSessions { get; set; }

    /// <summary>Legs that may be made in one second.</summary>
    public int SessionsPerSecond { get; set; }

    public bool PausedInbound { get; set; }

    public bool PausedOutbound { get; set; }

    /// <summary>Legs made since the start.</summary>
    public long SessionsSinceStart => _sessions;

    /// <summary>The most legs that existed at once.</summary>
    public int PeakSessions => _peak;

    /// <summary>The most legs that were made in a second.</summary>
    public int PeakPerSecond => _peakInSecond;

    /// <summary>Something of no leg that is to be done later.</summary>
    public IDisposable At(TimeSpan time, Action action) => _agenda.Add(time, action);

    /// <summary>The server counts whole clock seconds: its time-outs end up to a second early.</summary>
    public TimeSpan WholeSeconds(TimeSpan time)
    {
        long now = Now;
        return TimeSpan.FromMicroseconds(Math.Max(1000, ((now / 1_000_000) + (long)Math.Min(time.TotalSeconds, 1e9)) * 1_000_000 - now));
    }

    /// <summary>Legs asked for in the last whole second, refused ones too.</summary>
    public int LastSecond() => (Now / 1_000_000 - _second) switch { 0 => _lastInSecond, 1 => _inSecond, _ => 0 };

    /// <summary>Makes a leg that has not begun yet; if none can be made, says why.</summary>
    public int CreateLeg(OriginateAttempt attempt, DialLeg leg, bool first, out FsChannel? channel)
    {
        channel = null;
        string wanted = leg.Variables.FirstOrDefault(v => v.Key.Is("origination_uuid")).Value ?? (first ? attempt["origination_uuid"] : null) ?? "";
        // A taken id is not refused: the leg silently gets another.
        string id = wanted.Length > 0 && !_channels.ContainsKey(wanted) ? wanted : ByteText.NewId();
        switch (leg.Type.ToLowerInvariant())
        {
            case "error":
                return Causes.Parse(leg.Data);
            case "null":
                if (!TakeSession(outbound: true)) return Causes.DestinationOutOfOrder;
                var made = new FsChannel(ByteText.NewId(), "null/" + leg.Data, outbound: true) { Endpoint = "null" };
                if (leg.Data.StartsWith("cause-", StringComparison.Ordinal))
                {
                    Prepare(made, made.Uuid, withCall: true);
                    made.Profile = NewProfile(attempt, leg, made, made.Uuid, leg.Data, leg.Data, "mod_loopback");
                    TellDiscarded(made);
                    return Causes.Parse(leg.Data[6..]);
                }

                channel = Make(attempt, leg, id, made, leg.Data, leg.Data, "mod_loopback");
                return Causes.Success;
            case "loopback":
                if (!TakeSession(outbound: true)) return Causes.DestinationOutOfOrder;
                channel = CreateLoopback(attempt, leg, id);
                return Causes.Success;
            case "user":
                return CreateUser(attempt, leg, id, out channel);
            case "sofia":
                return CreateSofia(attempt, leg, id, leg.Data, out channel);
            default:
                return Causes.ChanNotImplemented;
        }
    }

    /// <summary>Lets a leg that was made begin.</summary>
    public void RunLeg(FsChannel c)
    {
        if (!_channels.ContainsKey(c.Uuid)) return;
        if (c.Down)
        {
            // It lost before it had begun: only now is told that it was there.
            c.Running = ChannelState.Init;
            Tell(c, "CHANNEL_CREATE");
            return;
        }

        SetRunning(c, ChannelState.Init);
        c.State = ChannelState.Routing;
        if (c.Twin is { } twin) StartTwin(c, twin);
        Tell(c, "CHANNEL_CREATE");
        Tell(c, "CHANNEL_ORIGINATE");
        SetRunning(c, ChannelState.Routing);
        SetState(c, ChannelState.ConsumeMedia);
        if (c.Endpoint == "null")
        {
            if (c.Variables["null_enable_auto_answer"] is { } auto && !ByteText.IsTrue(auto)) return;
            // Of several the first has answered before the next begins.
            if (c.Attempt is { IsForked: true }) MarkAnswered(c);
            else After(c, Moment, () => MarkAnswered(c));
        }
        else if (c.Twin is { } other)
        {
            Post(() => RunTwin(other));
        }
        else
        {
            CallPhone(c);
        }
    }

    /// <summary>Counts a leg; false if the server would refuse to make it.</summary>
    private bool TakeSession(bool outbound)
    {
        long second = Now / 1_000_000;
        if (second != _second) (_lastInSecond, _second, _inSecond) = (_second == second - 1 ? _inSecond : 0, second, 0);
        if (outbound ? PausedOutbound : PausedInbound) return false;
        if (++_inSecond >= SessionsPerSecond || _channels.Count >= MaxSessions) return false;
        _sessions++;
        _peakInSecond = Math.Max(_peakInSecond, _inSecond);
        _peak = Math.Max(_peak, _channels.Count + 1);
        return true;
    }

    private FsChannel Make(OriginateAttempt attempt, DialLeg leg, string id, FsChannel c, string destination, string calleeNumber, string source, Action<FsChannel>? own = null, Action<FsChannel>? last = null)
    {
        FsChannel? caller = attempt.Caller;
        c.Attempt = attempt;
        VariableList v = c.Variables;
        Prepare(c, id, withCall: caller is null);
        own?.Invoke(c);
        c.Profile = NewProfile(attempt, leg, c, id, destination, calleeNumber, source);
        c.Initial = (c.Profile.CallerName, c.Profile.CallerNumber, c.Profile.NetworkAddress, c.Profile.Destination, c.Profile.Dialplan);
        if (caller is not null) Originate(caller, c);
        c.State = ChannelState.Init;
        string before = c.Uuid;
        c.Uuid = id;
        _channels[id] = c;
        if (before != id) Tell(c, "CHANNEL_UUID", e => e.Add("Old-Unique-ID", before));
        Tell(c, "CHANNEL_OUTGOING");
        if (caller is not null) Describe(caller, c);
        foreach ((string key, string value) in attempt.Globals) v.Set(key, value);
        v.Set("originate_early_media", attempt.EarlyMediaWins ? "true" : "false");
        if (caller is not null) v.Set("originating_leg_uuid", caller.Uuid);
        v.Set("originate_endpoint", c.Endpoint);
        foreach ((string key, string value) in leg.Variables) v.Set(key, value);
        last?.Invoke(c);
        if (v["leg_timeout"] is { } limit && ByteText.Number(limit) > 0) After(c, WholeSeconds(TimeSpan.FromSeconds(ByteText.Number(limit))), () =>
            {
                if (!c.Answered) HangUp(c, Causes.NoAnswer);
            });
        return c;
    }

    // What a leg has from its making.
    private void Prepare(FsChannel c, string id, bool withCall)
    {
        bool sofia = c.Endpoint == "sofia";
        VariableList v = c.Variables;
        v.Set("direction", "outbound");
        v.Set("is_outbound", "true");
        if (sofia)
        {
            v.Set("uuid", id);
            if (withCall) v.Set("call_uuid", id);
        }

        c.Number = _sessions;
        v.Set("session_id", _sessions);
        if (sofia) return;
        TellCodecs(c, Codec.L16, own: true);
        v.Set("read_codec", "L16");
        v.Set("read_rate", 8000);
        v.Set("write_codec", "L16");
        v.Set("write_rate", 8000);
        v.Set("channel_name", c.Name);
        v.Set("uuid", id);
        v.Set("call_uuid", id);
    }

    private CallerProfile NewProfile(OriginateAttempt attempt, DialLeg leg, FsChannel c, string id, string destination, string calleeNumber, string source)
    {
        string? Local(string name) => leg.Variables.FirstOrDefault(v => v.Key.Is(name)).Value ?? attempt[name];
        CallerProfile? from = attempt.Caller?.Profile;
        string name = Local("origination_caller_id_name") ?? from?.CallerName ?? "";
        string number = Local("origination_caller_id_number") ?? from?.CallerNumber ?? "0000000000";
        long now = Now;
        return new CallerProfile
        {
            Outbound = true,
            LogicalOutbound = true,
            Username = from?.Username ?? "",
            Dialplan = from?.Dialplan ?? (c.Endpoint == "loopback" ? "xml" : ""),
            CallerName = name,
            CallerNumber = number,
            OriginalName = from?.OriginalName ?? name,
            OriginalNumber = from?.OriginalNumber ?? number,
            CalleeName = "Outbound Call",
            CalleeNumber = Local("origination_callee_id_number") ?? calleeNumber,
            NetworkAddress = from?.NetworkAddress ?? "",
            Ani = from?.Ani ?? number,
            Destination = destination,
            Uuid = id,
            Source = from?.Source ?? source,
            Rdnis = from?.Rdnis ?? "",
            ChannelName = c.Name,
            Times = new TimeTable { ProfileCreated = now, Created = now },
        };
    }

    // Half made and thrown away: all that is told of it is its end.
    private void TellDiscarded(FsChannel c)
    {
        Tell(c, "CHANNEL_DESTROY");
        SetRunning(c, ChannelState.Destroy);
    }

    private int CreateUser(OriginateAttempt attempt, DialLeg leg, string id, out FsChannel? channel)
    {
        channel = null;
        string number = leg.Data.Split('@')[0];
        PhoneBehaviour phone = PhoneBehaviour.Of(ByteText.ToText(number), isExtension: false);
        if (phone.Kind == PhoneKind.Unknown || number is "9999" or "") return Causes.SubscriberAbsent;
        if (phone.Kind == PhoneKind.Unreachable) return Causes.UserNotRegistered;
        string host = leg.Data.Contains('@', StringComparison.Ordinal) ? leg.Data[(leg.Data.IndexOf('@', StringComparison.Ordinal) + 1)..] : "127.0.0.1";
        return CreateSofia(attempt, leg, id, $"internal/{number}@{host}:5062", out channel);
    }

    private int CreateSofia(OriginateAttempt attempt, DialLeg leg, string id, string data, out FsChannel? channel)
    {
        channel = null;
        if (!TakeSession(outbound: true)) return Causes.DestinationOutOfOrder;
        string profile = data.Split('/')[0];
        string rest = data.Length > profile.Length ? data[(profile.Length + 1)..] : "";
        if (!profile.Is("gateway"))
        {
            if (!profile.Is("internal") && !profile.Is("external")) return Bad(Causes.InvalidProfile);
            if (!rest.Contains('@', StringComparison.Ordinal)) return Bad(Causes.UserNotRegistered);
            int at = rest.LastIndexOf('@');
            return Good(new SipTarget(rest[..at].Replace("sip:", "", StringComparison.Ordinal), rest[(at + 1)..], profile, ""), rest, null, out channel);
        }

        string gateway = rest.Split('/')[0];
        string number = rest.Length > gateway.Length ? rest[(gateway.Length + 1)..] : "";
        PhoneBehaviour line = PhoneBehaviour.Of(ByteText.ToText(gateway), isExtension: false);
        if (line.Kind == PhoneKind.Unknown || gateway.Length == 0) return Bad(Causes.InvalidGateway);
        if (line.Kind == PhoneKind.Unreachable) return Bad(Causes.NetworkOutOfOrder);
        return Good(new SipTarget(number, "127.0.0.1:5070", "internal", gateway), number, line, out channel);

        // The id is the wanted one from the start.
        int Bad(int cause)
        {
            var made = new FsChannel(id, "sofia/" + data, outbound: true);
            Prepare(made, id, withCall: true);
            TellDiscarded(made);
            return cause;
        }

        int Good(SipTarget target, string name, PhoneBehaviour? gatewayLine, out FsChannel? made)
        {
            PhoneBehaviour phone = StatusOf(target.Number) ?? PhoneBehaviour.Of(ByteText.ToText(target.Number), isExtension: false);
            if (phone == new PhoneBehaviour(PhoneKind.Answers) && gatewayLine is not null) phone = gatewayLine;
            bool bridged = attempt.Caller is not null;
            int port = TakePort();
            made = Make(
                attempt, leg, id, new FsChannel(id, $"sofia/{target.Profile}/{name}", outbound: true) { Phone = phone, Target = target, MediaPort = port }, target.Number, target.Number,
                "src/switch_ivr_originate.c", c => SofiaVariables.Create(c, target, bridged), c => SofiaVariables.Invite(c, target, port, bridged));
            return Causes.Success;
        }
    }

    // "status410": a phone that refuses with that.
    private static PhoneBehaviour? StatusOf(string number) =>
        number.StartsWith("status", StringComparison.Ordinal) && ByteText.Number(number[6..]) is >= 300 and <= 699 and int status ? new PhoneBehaviour(PhoneKind.Fails, SipStatus: status) : null;

    private int TakePort() => _mediaPort = _mediaPort >= 32766 ? 16384 : _mediaPort + 2;
}
