using System.Globalization;

namespace IfBus.Sip.Simulators.Yate;

/// <summary>SIP: the phones, whose number says what they do.</summary>
internal sealed class SipDriver(YateEngine engine) : YateDriver(engine, "sip", "varchans")
{
    private int _port = 26000;
    private int _tag;
    private int _caller;

    /// <summary>A number that nobody else has, for ids and tags.</summary>
    public static string NewNumber() => Random.Shared.Next(1, int.MaxValue).ToString(CultureInfo.InvariantCulture);

    /// <summary>The port of a call's sound.</summary>
    public int NewRtpPort() => _port = _port >= 29898 ? 26000 : _port + 2;

    /// <summary>The tag of a phone.</summary>
    public string NewTag() => $"4711SIPpTag01{++_tag}";

    public override async ValueTask<bool> ExecuteAsync(YateMessage message, string address)
    {
        if (message.About is not { } caller) return false;
        if (SipAddress.Parse(address) is not { } to)
        {
            // A leg begins, and ends before anything was sent: no such place can be found.
            var lost = new SipChannel(this, message);
            lost.Deref();
            message.Set("reason", SipChannel.NoParty).Set("error", "notransport");
            return false;
        }

        var channel = new SipChannel(this, to, message);
        await channel.StartAsync(message).ConfigureAwait(true);
        channel.Begin();
        bool connected = channel.Connect(caller, message["reason"]);
        if (connected)
        {
            message.Set("peerid", channel.Id).Set("targetid", channel.Id);
            if (message.Has("rtp_forward")) message.Clear("rtp_forward");
            channel.Ring();
        }

        channel.Deref();
        return connected;
    }

    /// <summary>A phone calls.</summary>
    public SipChannel Incoming(string from, string to)
    {
        var channel = new SipChannel(this, YateText.Of(from), YateText.Of(to), ++_caller);
        channel.Begin();
        Engine.Loop.Go(channel.RouteAsync());
        return channel;
    }

    protected override string Counters() => base.Counters() + $",transactions={Channels.Count(c => c is SipChannel { Inviting: true })}";
}

/// <summary>A SIP address as far as it is of interest here.</summary>
internal sealed record SipAddress(string User, string Host, int Port)
{
    /// <summary>Host and port as the engine writes them.</summary>
    public string HostPort => $"{Host}:{Port.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Reads sip:user@host:port;parameters, with or without sip: before it; null if no host can be found in it.</summary>
    public static SipAddress? Parse(string text)
    {
        bool uri = text.StartsWith("sip:", StringComparison.Ordinal);
        string rest = (uri ? text[4..] : text).Split(';', '?')[0];
        if (!uri && !rest.Contains('@', StringComparison.Ordinal)) return null;
        int at = rest.LastIndexOf('@');
        string user = at < 0 ? "" : rest[..at];
        string host = rest[(at + 1)..];
        int colon = host.LastIndexOf(':');
        int port = 5060;
        if (colon >= 0 && (!int.TryParse(host.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535)) return null;
        if (colon >= 0) host = host[..colon];
        return host.Length == 0 ? null : new(user, host, port);
    }
}
