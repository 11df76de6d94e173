using System.Globalization;
using System.Text.Json.Nodes;

namespace IfBus.Sip.Simulators.Kamailio;

/// <summary>The proxy's dialogs and the phones behind it. All under one lock; what takes time is a timer.</summary>
internal sealed class ProxyCore(KamailioSimulatorOptions options, Action<string> relay, CancellationToken lifetime)
{
    private const string ServersOwnTag = "3393f0703fb0ccaca74109ff37de39f5-";
    private readonly object _gate = new();
    private readonly Dictionary<(int, int), SimDialog> _dialogs = [];
    private int _next = 1000;
    private int _epoch;
    // It has been up for an hour: a restart shows by its age.
    private DateTimeOffset _started = options.TimeProvider.GetUtcNow() - TimeSpan.FromHours(1);

    public long ProcessedDialogs { get; private set; }

    public long FailedDialogs { get; private set; }

    public int LiveCount
    {
        get
        {
            lock (_gate) return _dialogs.Values.Count(d => d.State < 5);
        }
    }

    public DateTimeOffset Started
    {
        get
        {
            lock (_gate) return _started;
        }
    }

    public long Now => options.TimeProvider.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>All dialogs, ended ones that linger too.</summary>
    public List<JsonObject> List(Func<SimDialog, bool> wanted)
    {
        lock (_gate) return [.. _dialogs.Values.Where(wanted).Select(d => d.Show(Now))];
    }

    public int CountState(int state)
    {
        lock (_gate) return _dialogs.Values.Count(d => d.State == state);
    }

    public SimDialog? Find(int entry, int id)
    {
        lock (_gate) return _dialogs.GetValueOrDefault((entry, id));
    }

    public SimDialog? Find(string callId, string? fromTag)
    {
        lock (_gate) return _dialogs.Values.FirstOrDefault(d => d.CallId == callId && (fromTag is null || d.FromTag == fromTag));
    }

    /// <summary>A phone calls.</summary>
    public string Call(string fromUri, string toUri)
    {
        lock (_gate) return Begin(fromUri, toUri, null, null).CallId;
    }

    /// <summary>dlg.bridge_dlg: says nothing whatever becomes of it.</summary>
    public void Bridge(string from, string to)
    {
        if (!from.StartsWith("sip", StringComparison.Ordinal) || !from.Contains('@', StringComparison.Ordinal)) return;
        lock (_gate) Begin("sip:controller@127.0.0.1", from, to, ServersOwnTag + (++_next).ToString("x8", CultureInfo.InvariantCulture));
    }

    /// <summary>dlg.end_dlg: a BYE to both sides of a call that talks; for one that rings nothing but a false event.</summary>
    public void EndByServer(SimDialog dialog)
    {
        lock (_gate)
        {
            if (dialog.State is 3 or 4)
            {
                bool six = !options.Version.StartsWith("5.", StringComparison.Ordinal);
                dialog.State = six ? 4 : 5;
                Tell("dialog.end", dialog, "OPTIONS", six ? "127.0.0.1:5060" : "1.0.0.127:5060", "123", null);
                dialog.State = 5;
                _dialogs.Remove((dialog.Entry, dialog.Id));
            }
            else if (dialog.State < 3)
            {
                int state = dialog.State;
                dialog.State = 2;
                Tell("dialog.failed", dialog, "OPTIONS", "1.0.0.127:5060", "123", null);
                dialog.State = state;
            }
        }
    }

    /// <summary>tm.cancel: gives up an INVITE that is not answered, by its Call-ID and CSeq. False if there is none.</summary>
    public bool Cancel(string callId, string cseq)
    {
        lock (_gate)
        {
            if (cseq != "1" || _dialogs.Values.FirstOrDefault(d => d.CallId == callId && d.State < 3) is not { } dialog) return false;
            Fail(dialog, "487");
            return true;
        }
    }

    public void HangUpByPhone(string tag)
    {
        lock (_gate)
        {
            SimDialog dialog = _dialogs.Values.FirstOrDefault(d => d.State < 5 && (d.FromTag == tag || d.ToTag == tag || d.CallId == tag)) ?? throw new ArgumentException($"No call has '{tag}'.", nameof(tag));
            if (dialog.State < 3) Fail(dialog, "487");
            else End(dialog, byCaller: dialog.ToTag != tag);
        }
    }

    public void Restart()
    {
        lock (_gate)
        {
            _epoch++;
            _dialogs.Clear();
            _started = options.TimeProvider.GetUtcNow();
            ProcessedDialogs = FailedDialogs = 0;
        }
    }

    private SimDialog Begin(string fromUri, string toUri, string? referTo, string? tag)
    {
        int number = ++_next;
        string to = User(toUri);
        var dialog = new SimDialog
        {
            Entry = number % 4096,
            Id = number,
            CallId = FormattableString.Invariant($"{number}-{_epoch}@127.0.0.1"),
            FromUri = fromUri,
            ToUri = toUri,
            FromTag = tag ?? FormattableString.Invariant($"uac{number}-1"),
            FromContact = FormattableString.Invariant($"sip:{User(fromUri)}@127.0.0.1:15090"),
            Phone = PhoneBehaviour.Of(to, isExtension: false),
            InitTs = Now,
            ReferTo = referTo,
        };
        _dialogs[(dialog.Entry, dialog.Id)] = dialog;
        ProcessedDialogs++;
        relay(new JsonObject
        {
            ["event"] = "call.new",
            ["callid"] = dialog.CallId,
            ["from_tag"] = dialog.FromTag,
            ["from_uri"] = fromUri,
            ["to_uri"] = toUri,
            ["ruri"] = toUri,
            ["contact"] = $"<{dialog.FromContact}>",
            ["h_entry"] = dialog.Entry,
            ["h_id"] = dialog.Id,
            ["ts"] = Now,
        }.ToJsonString());
        switch (dialog.Phone.Kind)
        {
            case PhoneKind.Unknown or PhoneKind.Unreachable:
                // The server itself answers: the event's reply is none.
                Fail(dialog, null);
                break;
            case PhoneKind.Fails:
                Fail(dialog, dialog.Phone.SipStatus.ToString(CultureInfo.InvariantCulture));
                break;
            case PhoneKind.Dead:
                break;
            default:
                Ring(dialog);
                if (dialog.Phone.Kind != PhoneKind.Rings) After(dialog.Phone.RingsFor ?? options.RingTime, dialog, Answer);
                break;
        }

        return dialog;
    }

    private void Ring(SimDialog dialog)
    {
        dialog.State = 2;
        relay(new JsonObject { ["event"] = "call.ringing", ["callid"] = dialog.CallId, ["code"] = 180, ["ts"] = Now }.ToJsonString());
    }

    private void Answer(SimDialog dialog)
    {
        if (dialog.State >= 3) return;
        // The event is sent before the dialog is updated.
        dialog.State = 3;
        Tell("dialog.start", dialog, "INVITE", "127.0.0.1:15071", dialog.FromTag, "200");
        dialog.ToTag = FormattableString.Invariant($"uas{dialog.Id}-1");
        dialog.ToContact = FormattableString.Invariant($"sip:{User(dialog.ToUri)}@127.0.0.1:15071");
        dialog.StartTs = Now;
        dialog.State = 4;
        if (dialog.ReferTo is { } target)
        {
            End(dialog, byCaller: true);
            if (!User(dialog.ToUri).StartsWith("norefer", StringComparison.Ordinal)) Begin(dialog.ToUri, target, null, null);
        }
        else if (dialog.Phone.TalksFor is { } talk)
        {
            After(talk, dialog, d => End(d, byCaller: false));
        }
    }

    private void Fail(SimDialog dialog, string? code)
    {
        if (dialog.State >= 3) return;
        dialog.State = 5;
        dialog.EndTs = Now;
        FailedDialogs++;
        Tell("dialog.failed", dialog, code is null ? "OPTIONS" : "INVITE", code is null ? "1.0.0.127:5060" : "127.0.0.1:15071", code is null ? "123" : dialog.FromTag, code);
        Linger(dialog);
    }

    private void End(SimDialog dialog, bool byCaller)
    {
        if (dialog.State is < 3 or >= 5) return;
        dialog.State = 5;
        dialog.EndTs = Now;
        Tell("dialog.end", dialog, "BYE", byCaller ? "127.0.0.1:15090" : "127.0.0.1:15071", byCaller ? dialog.FromTag : dialog.ToTag!, null);
        Linger(dialog);
    }

    private void Linger(SimDialog dialog) => After(options.DialogLinger, dialog, d => _dialogs.Remove((d.Entry, d.Id)));

    private void Tell(string name, SimDialog dialog, string method, string source, string tag, string? code) => relay(new JsonObject
    {
        ["event"] = name,
        ["callid"] = dialog.CallId,
        ["from_tag"] = dialog.FromTag,
        ["to_tag"] = dialog.ToTag ?? "<null>",
        ["from_uri"] = dialog.FromUri,
        ["to_uri"] = dialog.ToUri,
        ["h_entry"] = dialog.Entry,
        ["h_id"] = dialog.Id,
        ["state"] = dialog.State,
        ["start_ts"] = dialog.StartTs,
        ["code"] = code ?? "<null>",
        ["method"] = method,
        ["bye_tag"] = tag,
        ["source"] = source,
        ["ts"] = Now,
    }.ToJsonString());

    private void After(TimeSpan time, SimDialog dialog, Action<SimDialog> then)
    {
        int epoch = _epoch;
        _ = Task.Run(
            async () =>
            {
                await Task.Delay(time, options.TimeProvider, lifetime).ConfigureAwait(false);
                lock (_gate)
                {
                    if (epoch == _epoch) then(dialog);
                }
            },
            lifetime);
    }

    /// <summary>The user of an address, else what it is.</summary>
    public static string User(string uri)
    {
        int begin = uri.IndexOf(':', StringComparison.Ordinal) + 1;
        int at = uri.IndexOf('@', StringComparison.Ordinal);
        return at > begin ? uri[begin..at] : uri[begin..];
    }
}
