namespace IfBus.Sip.Simulators.Yate;

/// <summary>A SIP leg and the phone at its other end.</summary>
internal sealed partial class SipChannel : YateChannel
{
    /// <summary>Why a leg to nowhere ends.</summary>
    public const string NoParty = "Failed to create party";

    private readonly SipDriver _driver;
    private readonly SipAddress _phone;
    private readonly string _domain;
    private readonly string _callId;
    private readonly string _from;
    private readonly string _localTag = SipDriver.NewNumber();
    private readonly int _rtpPort;
    private readonly List<IDisposable> _timers = [];
    private readonly PhoneBehaviour _behaviour;
    private string _remoteTag = "";
    private bool _tagged;
    private string _rtpId = "";
    private string _remoteDirection = "";
    private string _reason = "Request Terminated";
    private int _reasonStatus = 487;
    private string? _byeReason;
    private bool _hungUp;

    /// <summary>A leg to a phone.</summary>
    public SipChannel(SipDriver driver, SipAddress phone, YateMessage message)
        : base(driver, outgoing: true)
    {
        (_driver, _phone, _domain) = (driver, phone, message["domain"] ?? "");
        Address = phone.HostPort;
        // Who comes from a domain keeps it; the engine's own calls are named by its address.
        _callId = $"{SipDriver.NewNumber()}@127.0.0.1{(_domain.Length > 0 ? "" : ":5780")}";
        _from = message["caller"] ?? "";
        _rtpPort = driver.NewRtpPort();
        _tagged = true;
        _behaviour = Routes.Phone(phone.Port, phone.User, driver.Engine.Options.TalkTime);
        TargetId = message["id"] ?? "";
        SetLimits(message, -1);
    }

    /// <summary>A leg to nowhere.</summary>
    public SipChannel(SipDriver driver, YateMessage message)
        : base(driver, outgoing: true)
    {
        (_driver, _phone, _domain, _from) = (driver, new SipAddress("", "", 0), message["domain"] ?? "", "");
        _callId = "";
        _behaviour = new(PhoneKind.Unknown);
        TargetId = message["id"] ?? "";
        SetReason(NoParty, 0);
    }

    /// <summary>A leg from a phone.</summary>
    public SipChannel(SipDriver driver, string from, string to, int number)
        : base(driver, outgoing: false)
    {
        (_driver, _phone, _domain) = (driver, new SipAddress(from, "127.0.0.1", 5795), "127.0.0.1");
        Address = _phone.HostPort;
        _callId = $"1-{4000 + number}@127.0.0.1";
        _remoteTag = $"{4000 + number}SIPpTag001";
        (_from, Called) = (from, to);
        _rtpPort = driver.NewRtpPort();
        _behaviour = new(PhoneKind.Answers);
    }

    /// <summary>The number that an incoming call is for.</summary>
    public string Called { get; } = "";

    /// <summary>Sound goes to and fro.</summary>
    public bool HasMedia { get; private set; }

    /// <summary>It is being set up.</summary>
    public bool Inviting => !_hungUp && !Answered;

    /// <summary>The line of a= that its phone has in its last SDP: the direction it was put into.</summary>
    public string RemoteDirection => _remoteDirection;

    /// <summary>Digits that the phone got.</summary>
    public string DigitsReceived { get; private set; } = "";

    public override void Complete(YateMessage message, bool minimal = false)
    {
        base.Complete(message, minimal);
        if (minimal) return;
        if (_domain.Length > 0) message.Set("domain", _domain);
        string local = _tagged ? _localTag : "";
        message.Set("callid", Outgoing ? $"sip/{_callId}/{local}/{_remoteTag}" : $"sip/{_callId}/{_remoteTag}/{local}");
    }

    public override string StatusText() => base.StatusText() + $",inviting={YateText.Word(Inviting)}";

    /// <summary>What happens next by itself.</summary>
    public void After(TimeSpan time, Action action) => _timers.Add(Engine.After(time, () =>
    {
        if (!_hungUp) action();
    }));

    public override void Forget() => _timers.ForEach(t => t.Dispose());

    /// <summary>Its INVITE goes out.</summary>
    public async Task StartAsync(YateMessage message)
    {
        await RtpAsync(m => m.Set("remoteip", _phone.Host)).ConfigureAwait(true);
        YateMessage startup = Message("chan.startup");
        startup.Set("caller", _from);
        startup.Copy(message, "callername", "called", "billid", "callto", "username");
        startup.Set("calledfull", _phone.User).Set("sip_callid", _callId).Set("connection_id", "general");
        Engine.Enqueue(startup);
    }

    /// <summary>The phone begins to do what it does.</summary>
    public void Ring()
    {
        TimeSpan soon = Engine.Options.NetworkTime;
        switch (_behaviour.Kind)
        {
            case PhoneKind.Fails:
                if (_behaviour.EarlyMedia) After(soon, EarlyMedia);
                After(_behaviour.EarlyMedia ? soon + Engine.Options.RingTime : soon, () => Engine.Loop.Go(RefuseAsync(_behaviour.SipStatus > 0 ? _behaviour.SipStatus : Reasons.StatusOfCause(_behaviour.Cause))));
                return;
            case PhoneKind.Dead:
                // Seven INVITEs without an answer (seen: 7.5 s).
                After(TimeSpan.FromSeconds(7.5), () => Engine.Loop.Go(TimeOutAsync()));
                return;
        }

        After(soon, _behaviour.EarlyMedia ? EarlyMedia : IsRinging);
        if (_behaviour.Kind != PhoneKind.Rings) After(soon + (_behaviour.RingsFor ?? Engine.Options.RingTime), () => Engine.Loop.Go(AnsweredAsync()));
    }

    /// <summary>The far end hangs up, or does not want the call, or gives it up.</summary>
    public async Task HangUpByPhoneAsync()
    {
        if (_hungUp) return;
        if (Answered)
        {
            if (Outgoing)
            {
                _byeReason = "Q.850;cause=16;text=\"Normal call clearing\"";
                SetReason("Normal call clearing", 0);
            }

            await HangUpAsync().ConfigureAwait(true);
        }
        else if (Outgoing)
        {
            await RefuseAsync(603).ConfigureAwait(true);
        }
        else
        {
            Ref();
            Disconnect("Cancelled");
            Deref();
        }
    }

    /// <summary>A key is pressed at the phone.</summary>
    public void Press(string digits)
    {
        YateMessage message = Message("chan.dtmf");
        message.Set("sip_content-type", "application/dtmf-relay").Set("text", digits).Set("detected", "sip-info");
        CountDigit(message);
        Engine.Enqueue(message);
    }

    /// <summary>The phone holds, or takes back.</summary>
    public void Hold(bool hold)
    {
        string direction = hold ? "sdp_sendonly" : "sdp_sendrecv";
        Engine.Loop.Go(RtpAsync(m => m.Set("remoteip", _phone.Host).Set("remoteport", "20050").Set("evpayload", false).Set(direction, "")));
        YateMessage message = Message("call.update");
        message.Set("operation", "notify").Set("mandatory", false).Set("address_changed", false).Set("contact_changed", false).Set("audio_changed", false).Set("mute", false);
        Sdp(message).Set("rtp_port", "20050").Set(direction, "");
        Engine.Enqueue(message);
    }

    public override bool Tone(YateMessage message)
    {
        if (_hungUp) return false;
        DigitsReceived += message["text"];
        return true;
    }

    public override bool Progress(YateMessage message)
    {
        base.Progress(message);
        Respond(183, "Session Progress");
        return !_hungUp;
    }

    public override bool Ringing(YateMessage message)
    {
        base.Ringing(message);
        Respond(180, "Ringing");
        return !_hungUp;
    }

    public override bool Answer(YateMessage message)
    {
        if (_hungUp) return false;
        base.Answer(message);
        SetReason("", 0);
        Engine.Loop.Go(AnswerMediaAsync());
        return true;
    }

    public override void Reject(string error, string? reason)
    {
        base.Reject(error, reason);
        SetReason(reason ?? "", Reasons.Status(error) is var status and > 0 ? status : 500);
    }

    public override void Drop(YateParams message, string? reason)
    {
        base.Drop(message, reason);
        if (Reasons.Status(reason) is var status and > 0) SetReason(Reasons.Phrase(status) ?? reason!, status);
    }

    public override bool Control(YateMessage message)
    {
        base.Control(message);
        if (message["operation"] != "query") return false;
        message.Set("sip_uri", $"sip:{Address};transport=UDP").Set("sip_callid", _callId);
        message.Set("sip_from", $"<sip:{_from}@127.0.0.1:5780>;tag={_localTag}").Set("sip_to", $"<sip:{Address};transport=UDP>;tag={_remoteTag}").Set("local_cseq", "1");
        return true;
    }

    protected override void Disconnected(string? reason)
    {
        if (!string.IsNullOrEmpty(reason))
        {
            int status = Reasons.Status(reason);
            SetReason(status > 0 ? Reasons.Phrase(status) ?? reason : reason, status > 0 ? status : 487);
        }

        base.Disconnected(reason);
    }

    protected override void Ended()
    {
        base.Ended();
        Engine.Loop.Go(HangUpAsync());
    }

    private void SetReason(string reason, int status) => (_reason, _reasonStatus) = (reason, status);
}
