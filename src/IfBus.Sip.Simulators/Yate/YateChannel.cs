namespace IfBus.Sip.Simulators.Yate;

/// <summary>One channel (leg) of a driver.</summary>
internal class YateChannel : YateEndpoint
{
    private YateEndpoint? _lastPeer;
    private string _lastPeerId = "";
    private long _answeredTimeout;
    private int _digits;

    public YateChannel(YateDriver driver, bool outgoing)
        : base(driver.Engine, driver.NextId())
    {
        Driver = driver;
        Outgoing = outgoing;
        Status = Direction;
        // Only calls that begin here get a billing id; others take their peer's.
        if (!outgoing) BillId = Engine.NewBillId();
    }

    public YateDriver Driver { get; }

    /// <summary>Counts the driver's channels.</summary>
    public int Number { get; set; }

    public bool Outgoing { get; }

    public string Status { get; private set; }

    public bool Answered { get; private set; }

    public string Address { get; protected set; } = "";

    public string TargetId { get; set; } = "";

    public string BillId { get; private set; } = "";

    /// <summary>Goes with the next chan.hangup or chan.disconnected of this leg or of its peer.</summary>
    public YateParams Parameters { get; } = [];

    /// <summary>What it hears instead of its peer, or over it.</summary>
    public LegSound? Sound { get; set; }

    public string Direction => Outgoing ? "outgoing" : "incoming";

    /// <summary>The peer's id as last seen here.</summary>
    public string PeerId => Peer is null ? "" : Peer == _lastPeer ? _lastPeerId : Peer.Id;

    /// <summary>The id of the peer it has or had.</summary>
    public string LastPeerId => _lastPeerId;

    /// <summary>When it is to end whatever happens; microseconds since 1970, 0 for never.</summary>
    protected long Timeout { get; private set; }

    /// <summary>When it is to end if it was not answered.</summary>
    protected long MaxCall { get; private set; }

    /// <summary>Puts it on its driver's list.</summary>
    public void Begin() => Driver.Add(this);

    /// <summary>A message about it.</summary>
    public YateMessage Message(string name)
    {
        YateMessage message = Engine.NewMessage(name);
        Complete(message);
        return message;
    }

    /// <summary>Sets the parameters that describe it.</summary>
    public virtual void Complete(YateMessage message, bool minimal = false)
    {
        message.Set("id", Id);
        message.Set("module", Driver.Name);
        if (message.Name == "chan.hangup") message.Copy(Parameters);
        if (minimal) return;
        message.Set("status", Status);
        if (Address.Length > 0) message.Set("address", Address);
        if (TargetId.Length > 0) message.Set("targetid", TargetId);
        if (BillId.Length > 0) message.Set("billid", BillId);
        if (PeerId is { Length: > 0 } peer) message.Set("peerid", peer);
        if (_lastPeerId.Length > 0) message.Set("lastpeerid", _lastPeerId);
        message.Set("answered", Answered);
        message.Set("direction", Direction);
    }

    /// <summary>Nothing happens to it any more by itself.</summary>
    public virtual void Forget()
    {
    }

    /// <summary>What engine.status says of it.</summary>
    public virtual string StatusText()
    {
        string text = $"module={Driver.Name}{(PeerId is { Length: > 0 } peer ? $",peerid={peer}" : "")},status={Status},direction={Direction},answered={YateText.Word(Answered)},targetid={TargetId},address={Address},billid={BillId}";
        return text + Left("timeout", Timeout) + Left("maxcall", MaxCall);
    }

    public virtual bool Progress(YateMessage message)
    {
        SetStatus("progressing");
        BillId = BillId.Length > 0 ? BillId : message["billid"] ?? "";
        return true;
    }

    public virtual bool Ringing(YateMessage message)
    {
        SetStatus("ringing");
        BillId = BillId.Length > 0 ? BillId : message["billid"] ?? "";
        return true;
    }

    public virtual bool Answer(YateMessage message)
    {
        MaxCall = 0;
        int timeout = message.Int("timeout", (int)_answeredTimeout);
        _answeredTimeout = Math.Max(timeout, 0);
        SetStatus("answered");
        BillId = BillId.Length > 0 ? BillId : message["billid"] ?? "";
        return true;
    }

    /// <summary>It is told to end.</summary>
    public virtual void Drop(YateParams message, string? reason)
    {
        Timeout = MaxCall = 0;
        SetStatus(string.IsNullOrEmpty(reason) ? "dropped" : reason);
        Disconnect(reason, parameters: message);
    }

    public virtual ValueTask<bool> UpdateAsync(YateMessage message) => new(false);

    /// <summary>Digits sent to it.</summary>
    public virtual bool Tone(YateMessage message) => false;

    public virtual bool Control(YateMessage message)
    {
        SetLimits(message, -1);
        return false;
    }

    /// <summary>Somebody speaks in its name.</summary>
    public bool Masquerade(YateMessage message)
    {
        if (BillId.Length == 0) BillId = message["billid"] ?? "";
        switch (message.Name)
        {
            case "call.answered":
                MaxCall = 0;
                // Its own answer is something else: only the word changes.
                Status = "answered";
                break;
            case "call.progress":
                SetStatus("progressing");
                break;
            case "call.ringing":
                SetStatus("ringing");
                break;
            case "chan.dtmf" when !message.Has("sequence"):
                CountDigit(message);
                break;
        }

        return false;
    }

    /// <summary>Numbers a digit.</summary>
    public void CountDigit(YateMessage message) => message.Add("sequence", YateText.Word(++_digits)).Add("duplicate", "false");

    /// <summary>Its call was routed.</summary>
    public void Routed(YateMessage message)
    {
        SetStatus("routed");
        if (BillId.Length == 0) BillId = message["billid"] ?? "";
    }

    /// <summary>Its call was taken; without a leg that could say so, it is answered now.</summary>
    public virtual void Accept(YateMessage message)
    {
        SetStatus("accepted");
        SetLimits(message, Engine.Options.Timeout);
        if (BillId.Length == 0) BillId = message["billid"] ?? "";
        TargetId = message["targetid"] ?? "";
        if (message.Bool("autoanswer")) Answer(message);
        else if (message.Bool("autoring")) Ringing(message);
        else if (message.Bool("autoprogress")) Progress(message);
        else if (TargetId.Length == 0 && message.Bool("autoanswer", true)) Answer(message);
    }

    /// <summary>Its call was refused.</summary>
    public virtual void Reject(string error, string? reason) => SetStatus("rejected");

    /// <summary>Looks at its clock; the engine does once a second.</summary>
    public void CheckTimers(YateMessage timer)
    {
        if (Timeout != 0 && Timeout < timer.Time) Drop(timer, "timeout");
        else if (MaxCall != 0 && MaxCall < timer.Time) Drop(timer, "noanswer");
    }

    public void SetStatus(string status)
    {
        Status = status;
        if (Answered || status != "answered") return;
        Answered = true;
        MaxCall = 0;
        if (_answeredTimeout > 0) Timeout = Engine.Now + _answeredTimeout * 1000;
    }

    /// <summary>Takes timeout and maxcall, milliseconds, from a message.</summary>
    protected void SetLimits(YateMessage message, int otherwise)
    {
        int timeout = message.Int("timeout", otherwise);
        if (timeout >= 0)
        {
            _answeredTimeout = timeout;
            Timeout = timeout == 0 ? 0 : Engine.Now + timeout * 1000L;
        }

        if (Answered)
        {
            MaxCall = 0;
            return;
        }

        int most = message.Int("maxcall", -1);
        if (most > 0) (Timeout, MaxCall) = (0, Engine.Now + most * 1000L);
        else if (most == 0) MaxCall = 0;
    }

    protected override void Connected(string? reason)
    {
        if (BillId.Length == 0 && Peer is YateChannel { BillId.Length: > 0 } peer) BillId = peer.BillId;
        YateMessage message = Message("chan.connected");
        message.About = this;
        if (Peer is { } now && now != _lastPeer) (_lastPeer, _lastPeerId) = (now, now.Id);
        if (reason is not null) message.Set("reason", reason);
        Engine.Enqueue(message);
    }

    protected override void Disconnected(string? reason)
    {
        if (Engine.Exiting) return;
        YateMessage message = Engine.NewMessage("chan.disconnected");
        message.Copy(Parameters);
        message.Clear("handlers");
        Complete(message);
        if (reason is not null) message.Set("reason", reason);
        // It lives until the message is done: the last chance to be connected again.
        message.About = this;
        TargetId = "";
        Parameters.Clear();
        Engine.Enqueue(message);
    }

    protected override void SetDisconnect(YateParams? parameters)
    {
        Parameters.Clear();
        if (parameters is not null) Parameters.Copy(parameters);
    }

    protected override void LostPeer() => _lastPeer = null;

    protected override void Ended() => Driver.Remove(this);

    private string Left(string name, long at)
    {
        if (at == 0) return "";
        long left = at - Engine.Now;
        return $",{name}={(left > 0 ? YateText.Word((left + 500) / 1000) : "expired")}";
    }
}
