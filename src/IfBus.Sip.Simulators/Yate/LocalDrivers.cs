namespace IfBus.Sip.Simulators.Yate;

/// <summary>Channels without a voice: what calls are made from.</summary>
internal sealed class DumbDriver(YateEngine engine) : YateDriver(engine, "dumb")
{
    public override async ValueTask<bool> ExecuteAsync(YateMessage message, string address)
    {
        if (message.About is { } caller)
        {
            var called = new DumbChannel(this, address, message, outgoing: true);
            called.Begin();
            bool connected = caller.Connect(called);
            if (connected)
            {
                message.Set("peerid", called.Id).Set("targetid", called.Id);
                called.TargetId = caller.Id;
                if (!message.Has("autoring")) message.Add("autoring", "true");
            }

            called.Deref();
            return connected;
        }

        if (message["target"] is not { Length: > 0 } target) return false;
        var channel = new DumbChannel(this, address, message, outgoing: false);
        channel.Begin();
        string from = message["caller"] is { Length: > 0 } given ? given : Prefix + address;
        YateMessage call = Engine.NewMessage("call.route");
        call.Add("driver", "dumb").Add("id", channel.Id).Add("caller", from).Add("called", target);
        call.Copy(message, "callername", "maxcall", "timeout", "stop_call");
        call.Copy(message, (message["copyparams"] ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        bool taken = await CallAsync(message, channel, call).ConfigureAwait(true);
        call.About = null;
        channel.Deref();
        return taken;
    }

    // Routes unless told where to, executes, and takes what came of it.
    private async ValueTask<bool> CallAsync(YateMessage message, DumbChannel channel, YateMessage call)
    {
        string direct = message["direct"] ?? "";
        if (direct.Length == 0)
        {
            if (!await Engine.DispatchAsync(call).ConfigureAwait(true)) return false;
            direct = call.Return;
            call.Return = "";
        }

        call.Name = "call.execute";
        call.Add("callto", direct).Set("id", channel.Id);
        call.About = channel;
        if (!await Engine.DispatchAsync(call).ConfigureAwait(true))
        {
            message.Copy(call, "error", "reason");
            return false;
        }

        channel.Routed(call);
        channel.Accept(call);
        message.Copy(call, "id", "peerid");
        if (call["targetid"] is { Length: > 0 } called)
        {
            message.Set("targetid", called);
            channel.TargetId = called;
        }

        return true;
    }
}

/// <summary>A channel of <see cref="DumbDriver"/>.</summary>
internal sealed class DumbChannel : YateChannel
{
    public DumbChannel(DumbDriver driver, string address, YateMessage message, bool outgoing)
        : base(driver, outgoing)
    {
        Address = address;
        YateMessage startup = Message("chan.startup");
        startup.Copy(message, (message["copyparams"] ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        if (outgoing) startup.Copy(message, "caller", "callername", "called", "billid", "callto", "username");
        Engine.Enqueue(startup);
    }

    protected override void Ended()
    {
        base.Ended();
        Engine.Enqueue(Message("chan.hangup"));
    }
}

/// <summary>Tones: they answer by being there, begin no CDR and end without a word.</summary>
internal sealed class ToneDriver(YateEngine engine) : YateDriver(engine, "tone")
{
    protected override string Format => "";

    public override ValueTask<bool> ExecuteAsync(YateMessage message, string address) => LocalCall.ExecuteAsync(this, message, () => new LocalChannel(this, address));

    protected override string Counters() => $"tones={Channels.Select(c => c.Address).Distinct().Count()},chans={Count}";
}

/// <summary>Sound files that are played or recorded.</summary>
internal sealed class WaveDriver(YateEngine engine) : YateDriver(engine, "wave")
{
    public override ValueTask<bool> ExecuteAsync(YateMessage message, string address)
    {
        int slash = address.IndexOf('/', StringComparison.Ordinal);
        string way = slash < 0 ? "" : address[..slash];
        if (way is not ("play" or "record")) return new(false);
        return LocalCall.ExecuteAsync(this, message, () => new WaveChannel(this, address[(slash + 1)..], way == "record"));
    }

    protected override string Counters() => $"play={Channels.Count(c => c is WaveChannel { Records: false })},record={Channels.Count(c => c is WaveChannel { Records: true })},{base.Counters()}";
}

/// <summary>A leg that is a sound.</summary>
internal class LocalChannel : YateChannel
{
    public LocalChannel(YateDriver driver, string address)
        : base(driver, outgoing: false) => Address = address;
}

/// <summary>A file. It is over when it was played to somebody who listens, and at once if it is not there.</summary>
internal sealed class WaveChannel(YateDriver driver, string file, bool records) : LocalChannel(driver, "")
{
    private IDisposable? _end;

    public bool Records { get; } = records;

    /// <summary>Begins to play if it is time to.</summary>
    public void Play()
    {
        if (Records || _end is not null) return;
        bool there = !WaveFiles.Missing(file);
        // Nothing takes the sound of a file from a silent channel, so it never comes to its end there.
        if (there && Peer is not SipChannel { HasMedia: true }) return;
        _end = Engine.After(there ? Engine.Options.PlayTime : TimeSpan.Zero, () => Disconnect(null));
    }

    public override bool Answer(YateMessage message)
    {
        bool answered = base.Answer(message);
        Play();
        return answered;
    }

    protected override void Connected(string? reason)
    {
        base.Connected(reason);
        Play();
    }

    public override void Forget() => _end?.Dispose();

    protected override void Ended()
    {
        Forget();
        base.Ended();
    }
}

/// <summary>Which files the simulated server has.</summary>
internal static class WaveFiles
{
    public static bool Missing(string file)
    {
        string name = file[(file.LastIndexOf('/') + 1)..];
        return name.StartsWith("none", StringComparison.Ordinal) || name.StartsWith("nosuch", StringComparison.Ordinal);
    }
}

/// <summary>What tones and files have in common when they are called, and when they call.</summary>
internal static class LocalCall
{
    public static async ValueTask<bool> ExecuteAsync(YateDriver driver, YateMessage message, Func<YateChannel> make)
    {
        if (message.About is { } caller)
        {
            YateChannel called = make();
            called.Begin();
            bool connected = caller.Connect(called, message["reason"]);
            if (connected) message.Set("peerid", called.Id);
            called.Deref();
            return connected;
        }

        YateMessage call = driver.Engine.NewMessage("call.route");
        call.Copy(message, (message["copyparams"] ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        call.Clear("callto").Clear("id").Set("module", driver.Name).Set("cdrtrack", false);
        call.Copy(message, "stop_call", "called", "caller", "callername");
        string to = message["direct"] ?? "";
        if (to.Length == 0)
        {
            if ((message["target"] ?? message["called"]) is not { Length: > 0 } target) return false;
            call.Set("called", target);
            if (call["caller"] is not { Length: > 0 }) call.Set("caller", message["callto"]);
            if (!await driver.Engine.DispatchAsync(call).ConfigureAwait(true) || call.Return is "" or "-") return false;
            to = call.Return;
            call.Return = "";
        }

        call.Name = "call.execute";
        call.Set("callto", to);
        YateChannel channel = make();
        channel.Begin();
        call.Set("id", channel.Id);
        call.About = channel;
        bool taken = await driver.Engine.DispatchAsync(call).ConfigureAwait(true);
        if (taken)
        {
            message.Set("id", channel.Id);
            message.Copy(call, "peerid");
        }

        call.About = null;
        channel.Deref();
        return taken;
    }
}
