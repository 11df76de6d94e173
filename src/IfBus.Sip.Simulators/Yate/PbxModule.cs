namespace IfBus.Sip.Simulators.Yate;

/// <summary>Joins legs, takes calls over, and lays sounds and recordings on legs.</summary>
internal sealed class PbxModule(YateEngine engine)
{
    /// <summary>What is recorded now: the leg, what of it, and the file.</summary>
    public List<(YateEndpoint Leg, string What, string File)> Recordings { get; } = [];

    public void Install()
    {
        engine.Install("chan.connect", 90, "pbx", ConnectAsync);
        engine.Install("call.execute", 100, "pbx", PickUpAsync);
        engine.Install("chan.rtp", 100, "yrtp", m => new(SipChannel.Rtp(m, engine.Sip)));
        foreach (string module in (string[])["mux", "tone", "yrtp", "wave", "tonedetect"])
        {
            engine.Install("chan.attach", 100, module, module switch
            {
                "tone" => m => new(Attach(m, "tone/")),
                "wave" => m => new(Attach(m, "wave/play/")),
                _ => static _ => new(false),
            });
        }

        engine.Install("chan.attach", 100, "pbx", m => new(Detach(m)));
        foreach (string module in (string[])["mux", "wave", "tonedetect"])
            engine.Install("chan.record", 100, module, module == "wave" ? m => new(Record(m)) : static _ => new(false));
        engine.Install("chan.record", 100, "pbx", m => new(StopRecord(m)));
    }

    // The leg of that id.
    private async ValueTask<YateEndpoint?> LocateAsync(string? id, bool peer)
    {
        if (string.IsNullOrEmpty(id)) return null;
        YateMessage message = engine.NewMessage("chan.locate");
        message.Add("id", id);
        if (!await engine.DispatchAsync(message).ConfigureAwait(true)) return null;
        YateEndpoint? found = message.About;
        found?.Ref();
        message.About = null;
        if (!peer || found is null) return found;
        YateEndpoint? other = found.Peer;
        other?.Ref();
        found.Deref();
        return other;
    }

    private async ValueTask<bool> ConnectAsync(YateMessage message)
    {
        YateEndpoint? first = await LocateAsync(message["id"], message.Bool("id_peer")).ConfigureAwait(true);
        YateEndpoint? second = await LocateAsync(message["targetid"], message.Bool("targetid_peer")).ConfigureAwait(true);
        bool connected = first is not null && second is not null && first.Connect(second, message["reason"]);
        first?.Deref();
        second?.Deref();
        return connected;
    }

    private async ValueTask<bool> PickUpAsync(YateMessage message)
    {
        string to = message["callto"] ?? "";
        if (!to.StartsWith("pickup/", StringComparison.Ordinal) || to.Length == 7) return false;
        if (message.About is not { } caller)
        {
            message.Set("error", "failure");
            return false;
        }

        YateEndpoint? called = await LocateAsync(to[7..], message.Bool("pickup_peer", true)).ConfigureAwait(true);
        if (called is null)
        {
            message.Set("error", "nocall");
            return false;
        }

        string reason = message["reason"] ?? "pickup";
        bool connected = called.Connect(caller, reason);
        if (connected)
        {
            message.Set("peerid", called.Id).Set("targetid", called.Id);
            YateMessage answered = Answered(called, reason);
            if (!await engine.DispatchAsync(answered).ConfigureAwait(true) && answered.Name == "chan.masquerade")
            {
                answered.Name = "call.answered";
                answered.Clear("message");
                engine.Enqueue(answered);
            }
            else
            {
                answered.About = null;
            }

            engine.Enqueue(Answered(caller, reason, called.Id));
        }

        called.Deref();
        return connected;
    }

    private YateMessage Answered(YateEndpoint leg, string reason, string? peer = null)
    {
        YateMessage message = engine.NewMessage("chan.masquerade");
        message.Set("id", leg.Id).Set("message", "call.answered").Set("peerid", peer ?? leg.Peer?.Id).Set("reason", reason);
        return message;
    }

    // A sound of this kind for the leg to send, or to hear over or instead of its peer: what is done is taken out of the message.
    private bool Attach(YateMessage message, string prefix)
    {
        if (message.About is not YateChannel leg) return false;
        bool any = false;
        bool all = true;
        foreach (string where in (string[])["source", "override", "replace"])
        {
            if (message[where] is not { } sound || !sound.StartsWith(prefix, StringComparison.Ordinal)) continue;
            any = true;
            if (prefix == "wave/play/" && WaveFiles.Missing(sound))
            {
                all = false;
                continue;
            }

            message.Clear(where);
            if (leg.Sound is { Notify.Length: > 0 } before && where != "source") Notify(before.Notify, "replaced");
            if (where != "source") leg.Sound = new(sound, where, message["notify"] ?? "");
        }

        return any && all && message.Bool("single");
    }

    private bool Detach(YateMessage message)
    {
        string[] off = [.. ((string[])["source", "consumer", "override", "replace"]).Where(w => message[w] == "-")];
        if (off.Length == 0 || message.About is not YateChannel leg) return false;
        if (leg.Sound is { } sound && off.Contains(sound.Where))
        {
            leg.Sound = null;
            if (sound.Notify.Length > 0) Notify(sound.Notify, "replaced");
        }

        return message.Bool("single");
    }

    private bool Record(YateMessage message)
    {
        if (message.About is not { } leg) return false;
        bool[] done = [.. ((string[])["call", "peer"]).Select(what =>
        {
            if (message[what] is not { } file || !file.StartsWith("wave/record/", StringComparison.Ordinal)) return !message.Has(what);
            Stop(leg, what);
            Recordings.Add((leg, what, file["wave/record/".Length..]));
            if (message.Int("maxlen", 0) is var most and > 0) Limit(leg, what, most, message["notify"] ?? "");
            return true;
        })];
        return done.All(d => d) && (message.Has("call") || message.Has("peer"));
    }

    private bool StopRecord(YateMessage message)
    {
        bool call = message["call"] == "-";
        bool peer = message["peer"] == "-";
        if (!(call || peer) || message.About is not { } leg) return false;
        if (call) Stop(leg, "call");
        if (peer) Stop(leg, "peer");
        return message.Has("single") ? message.Bool("single") : call && peer;
    }

    // 16-bit samples, 8000 a second.
    private void Limit(YateEndpoint leg, string what, int bytes, string notify) => engine.After(TimeSpan.FromSeconds(bytes / 16000.0), () =>
    {
        if (!Stop(leg, what) || notify.Length == 0) return;
        YateMessage message = engine.NewMessage("chan.notify");
        message.Set("id", leg.Id).Set("targetid", notify).Set("reason", "maxlen");
        engine.Enqueue(message);
    });

    private bool Stop(YateEndpoint leg, string what) => Recordings.RemoveAll(r => r.Leg.Dead || (r.Leg == leg && r.What == what)) > 0;

    private void Notify(string target, string reason)
    {
        YateMessage message = engine.NewMessage("chan.notify");
        message.Set("targetid", target).Set("reason", reason);
        engine.Enqueue(message);
    }
}

/// <summary>A sound that a leg hears.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Where">override or replace.</param>
/// <param name="Notify">Who is told when it is over.</param>
internal sealed record LegSound(string Name, string Where, string Notify);
