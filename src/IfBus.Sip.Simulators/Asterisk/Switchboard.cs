using System.Globalization;

namespace IfBus.Sip.Simulators.Asterisk;

/// <summary>The channels of the simulated server and what becomes of them, told to every connection in the recorded order. One lock; timers, no threads.</summary>
internal sealed partial class Switchboard
{
    private readonly Dictionary<string, SimChannel> _channels = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<ManagerConnection> _listeners = [];
    private readonly Agenda _agenda;
    private long _serial;
    private long _uniqueid;
    private long _actions;

    public Switchboard(AsteriskSimulatorOptions options)
    {
        Options = options;
        IsVersion16 = options.Version.StartsWith("16.", StringComparison.Ordinal);
        StartedAt = Now;
        _agenda = new Agenda(options.TimeProvider, Sync, action => action());
    }

    public object Sync { get; } = new();

    public AsteriskSimulatorOptions Options { get; }

    public bool IsVersion16 { get; }

    /// <summary>Modules are loaded.</summary>
    public bool IsBooted { get; private set; } = true;

    /// <summary>Variables of no channel.</summary>
    public Dictionary<string, string> Globals { get; } = [];

    public DateTime StartedAt { get; private set; }

    public Action? RestartWanted { get; set; }

    /// <summary>It stops when its last channel has gone, and does nothing any more that it is asked.</summary>
    public bool IsStopping { get; private set; }

    public Action? StopWanted { get; set; }

    public DateTime Now => Options.TimeProvider.GetLocalNow().DateTime;

    public long ActionsReceived => Interlocked.Read(ref _actions);

    public int ChannelCount
    {
        get
        {
            lock (Sync) return _channels.Count;
        }
    }

    public int CallCount
    {
        get
        {
            lock (Sync) return _channels.Values.Select(c => c.Linkedid).Distinct().Count();
        }
    }

    public IReadOnlyCollection<SimChannel> Channels => _channels.Values;

    public string[] MutedRecordings
    {
        get
        {
            lock (Sync) return [.. _channels.Values.SelectMany(c => c.MutedMonitors)];
        }
    }

    public void CountAction() => Interlocked.Increment(ref _actions);

    public void Add(ManagerConnection connection)
    {
        lock (Sync) _listeners.Add(connection);
    }

    public void Remove(ManagerConnection connection)
    {
        lock (Sync) _listeners.Remove(connection);
    }

    /// <summary>A channel by its name or Uniqueid; case is ignored, as the server does.</summary>
    public SimChannel? Find(string nameOrId) =>
        _channels.TryGetValue(nameOrId, out SimChannel? channel) ? channel : _channels.Values.FirstOrDefault(c => c.Name.Equals(nameOrId, StringComparison.OrdinalIgnoreCase));

    /// <summary>In 22 an id is in use when it is the beginning of a live one; in 16 when it is equal.</summary>
    public bool IsInUse(string id) =>
        _channels.ContainsKey(id) || (!IsVersion16 && id.Length < 36 && _channels.Keys.Any(k => k.StartsWith(id, StringComparison.OrdinalIgnoreCase)));

    /// <summary>Carries out an Originate whose arguments are good.</summary>
    public void Originate(SimOriginate originate, string channelId, string otherId, SimCaller caller, TimeSpan timeout, IReadOnlyList<KeyValuePair<string, string>> variables)
    {
        int slash = originate.Channel.IndexOf('/', StringComparison.Ordinal);
        string technology = originate.Channel[..slash];
        string rest = originate.Channel[(slash + 1)..];
        string id = channelId.Length > 0 ? channelId : NextId();
        if (IsInUse(id))
        {
            Respond(originate, null, id, 0, caller);
            return;
        }

        string other = otherId.Length > 0 ? otherId : channelId.Length > 0 ? id + ";2" : NextId();
        if (technology.Equals("Local", StringComparison.OrdinalIgnoreCase)) OriginateLocal(originate, rest, id, channelId.Length > 0, other, caller, timeout, variables);
        else if (technology.Equals("PJSIP", StringComparison.OrdinalIgnoreCase)) OriginatePhone(originate, rest, id, channelId.Length > 0, caller, timeout, variables);
        else Respond(originate, null, channelId, 0, caller);
    }

    /// <summary>A phone calls the server.</summary>
    public string StartIncomingCall(string from, string exten)
    {
        lock (Sync)
        {
            SimChannel channel = Make($"PJSIP/{from}-{Serial()}", NextId(), null, 4, options: c =>
            {
                c.Number = from;
                c.Exten = exten;
            });
            RunExtension(channel, exten, incoming: true);
            return channel.Uniqueid;
        }
    }

    /// <summary>The far end of a channel hangs up.</summary>
    public void HangUpByPhone(string nameOrId)
    {
        lock (Sync)
        {
            if (Find(nameOrId) is not { } channel) throw new ArgumentException($"No such channel: {nameOrId}", nameof(nameOrId));
            FarEndHangsUp(channel);
        }
    }

    /// <summary>The Hangup action.</summary>
    public void HangUp(SimChannel channel, int cause)
    {
        // SoftHangupRequest's Cause is a set of flags; 16 there is "the dialplan ends", whatever cause was asked for.
        // A phone that has not answered is told what that cause is in SIP.
        bool dials = channel.Bridge is null && channel.Callee is { Gone: false };
        EndCall(channel, cause == 0 && channel.WasBridged ? 16 : cause, cause == 17 && dials ? 486 : 0, soft: 16);
    }

    /// <summary>Ends everything for a shutdown.</summary>
    public void ShutDown(bool restart)
    {
        lock (Sync)
        {
            foreach (SimChannel channel in _channels.Values.ToArray()) Tell("SoftHangupRequest", "call", channel.Headers() + "Cause: 4\r\n");
            foreach (SimChannel channel in _channels.Values.ToArray())
            {
                if (!channel.Gone) EndCall(channel, channel.Bridge is null ? 0 : 16, 0, soft: 16);
            }

            // What was added at run time is not there after a start.
            _added.Clear();
            Tell("Shutdown", "system", $"Shutdown: Cleanly\r\nRestart: {(restart ? "True" : "False")}\r\n");
            IsBooted = false;
        }
    }

    /// <summary>As <c>core stop gracefully</c>.</summary>
    public void StopGracefully()
    {
        IsStopping = true;
        StopIfIdle();
    }

    private void StopIfIdle()
    {
        if (IsStopping && _channels.Count == 0) _agenda.Add(Moment, () => StopWanted?.Invoke());
    }

    /// <summary>Up again: logins work, modules are loading.</summary>
    public void Boot() => (StartedAt, IsStopping) = (Now, false);

    /// <summary>Modules are loaded.</summary>
    public void Booted()
    {
        lock (Sync)
        {
            IsBooted = true;
            Tell("FullyBooted", "system", $"Status: Fully Booted\r\n{UpText()}");
        }
    }

    /// <summary>The body of FullyBooted after a login.</summary>
    public string BootText() => UpText() + "Status: Fully Booted\r\n";

    private string UpText() => $"Uptime: {(int)(Now - StartedAt).TotalSeconds}\r\nLastReload: {(int)(Now - StartedAt).TotalSeconds}\r\n";

    /// <summary>Lets go of all timers.</summary>
    public void Clear()
    {
        lock (Sync)
        {
            foreach (SimChannel channel in _channels.Values) channel.Timers.ForEach(t => t.Dispose());
            _channels.Clear();
            _rooms.Clear();
        }
    }

    /// <summary>Sends an event to all connections that want its class.</summary>
    public void Tell(string name, string privilege, string body)
    {
        if (_listeners.Count == 0) return;
        string text = $"Event: {name}\r\nPrivilege: {privilege},all\r\n{body}\r\n";
        foreach (ManagerConnection connection in _listeners) connection.OnEvent(privilege, text);
    }

    private string NextId() => $"{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}.{++_uniqueid}";

    private string Serial() => (_serial++).ToString("x8", CultureInfo.InvariantCulture);

    private SimChannel Make(string name, string id, string? linkedid, int state, Action<SimChannel>? options = null)
    {
        var channel = new SimChannel(name, id, linkedid ?? id) { State = state, CreatedAt = Now, Context = "ifbus" };
        options?.Invoke(channel);
        _channels[id] = channel;
        Tell("Newchannel", "call", channel.Headers());
        return channel;
    }

    private void After(SimChannel channel, TimeSpan time, Action action) => channel.Timers.Add(_agenda.Add(time, () =>
    {
        if (!channel.Gone) action();
    }));

    // The first half of a Local, and a phone, are given one after the other; the second half has it all when it tells.
    private void Identify(SimChannel channel, SimCaller caller, bool second = false)
    {
        if (!second) Charge(channel, caller);
        channel.AccountCode = caller.Account;
        if (caller.Number.Length > 0 || caller.Name.Length > 0)
        {
            (channel.Number, channel.CallerName) = (caller.Number, caller.Name);
            if (second) (channel.ConnectedNumber, channel.ConnectedName) = (caller.Number, caller.Name);
            Tell("NewCallerid", "call", channel.Headers() + "CID-CallingPres: 0 (Presentation Allowed, Not Screened)\r\n");
            (channel.ConnectedNumber, channel.ConnectedName) = (caller.Number, caller.Name);
            if (second) Charge(channel, caller);
            Tell("NewConnectedLine", "call", channel.Headers());
        }
        else if (second)
        {
            Charge(channel, caller);
        }
    }

    private void Charge(SimChannel channel, SimCaller caller)
    {
        if (caller.Account.Length == 0) return;
        channel.AccountCode = caller.Account;
        Tell("NewAccountCode", "call", channel.Headers() + "OldAccountCode: \r\n");
    }

    private void SetState(SimChannel channel, int state)
    {
        channel.State = state;
        if (state == 6) channel.AnsweredAt ??= Now;
        Tell("Newstate", "call", channel.Headers());
    }

    // The outcome of an Originate: to everybody, with the ActionID of whoever asked.
    private void Respond(SimOriginate originate, SimChannel? channel, string id, int reason, SimCaller caller)
    {
        bool success = reason == 4;
        originate.Done?.Invoke(success);
        if (originate.Done is not null) return;
        static string Known(string value) => value.Length == 0 ? "<unknown>" : value;
        string destination = originate.Application.Length > 0
            ? $"Application: {originate.Application}\r\nData: {originate.Data}\r\n"
            : $"Context: {originate.Context}\r\nExten: {originate.Exten}\r\n";
        Tell(
            "OriginateResponse", "call",
            (originate.ActionId is null ? "" : $"ActionID: {originate.ActionId}\r\n")
            + $"Response: {(success ? "Success" : "Failure")}\r\nChannel: {(success ? channel!.Name : originate.Channel)}\r\n{destination}Reason: {reason}\r\nUniqueid: {(id.Length == 0 ? "<unknown>" : id)}\r\n"
            + $"CallerIDNum: {Known(caller.Number)}\r\nCallerIDName: {Known(caller.Name)}\r\n");
    }

    // All that is to be told of a channel's life, when it ends.
    private void Record(SimChannel channel, SimChannel? callee, string disposition)
    {
        if (!channel.InDialplan && !channel.Originated) return;
        foreach (SimRecord record in channel.Records) Tell(channel, record);
        if (channel.Application != "AppDial" && (channel.Records.Count == 0 || channel.Application.Length > 0)) Tell(channel, new SimRecord(channel.Application, channel.Data, callee?.Name, disposition));
        channel.Records.Clear();
    }

    private void Tell(SimChannel channel, SimRecord record)
    {
        DateTime end = Now;
        static string Time(DateTime? time) => time?.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "";
        DateTime? answer = channel.AnsweredAt;
        Tell(
            "Cdr", "cdr",
            $"AccountCode: {channel.AccountCode}\r\nSource: {channel.Number}\r\nDestination: {channel.Exten}\r\nDestinationContext: {channel.Context}\r\nCallerID: \"{channel.CallerName}\" <{channel.Number}>\r\n"
            + $"Channel: {channel.Name}\r\nDestinationChannel: {record.Callee}\r\nLastApplication: {record.Application}\r\nLastData: {record.Data}\r\nStartTime: {Time(channel.CreatedAt)}\r\nAnswerTime: {Time(answer)}\r\n"
            + $"EndTime: {Time(end)}\r\nDuration: {(long)(end - channel.CreatedAt).TotalSeconds}\r\nBillableSeconds: {(answer is { } a ? (long)(end - a).TotalSeconds : 0)}\r\nDisposition: {record.Disposition}\r\n"
            + $"AMAFlags: DOCUMENTATION\r\nUniqueID: {channel.Uniqueid}\r\nUserField: \r\n");
    }

    private void Hangup(SimChannel channel, int cause, int sipStatus)
    {
        if (channel.Gone) return;
        // Recordings end with it, and it is not told.
        StopMusic(channel);
        LeaveRoom(channel);
        channel.Gone = true;
        channel.Timers.ForEach(t => t.Dispose());
        channel.Timers.Clear();
        _channels.Remove(channel.Uniqueid);
        if (channel.InDialplan) (channel.Exten, channel.Priority) = ("h", 2);
        string tech = sipStatus > 0 && !IsVersion16 ? $"TechCause: {sipStatus}\r\n" : "";
        Tell("Hangup", "call", channel.Headers() + $"Cause: {cause}\r\nCause-txt: {SimText.Cause(cause)}\r\n{tech}");
        StopIfIdle();
    }
}
