namespace IfBus.Sip.Simulators.Yate;

/// <summary>Lets phones register: the messages, and the module that keeps passwords and places in a file.</summary>
internal sealed class Registrar(YateEngine engine)
{
    /// <summary>Where registered users are.</summary>
    public Dictionary<string, string> Contacts { get; } = [];

    public string Rows() => Contacts.Count == 0 ? "" : ";" + string.Join(',', Contacts.Select(c => $"{c.Key}={YateText.Row(c.Value)}"));

    public void Install()
    {
        engine.Install("user.auth", 100, "regfile", m =>
        {
            if (m["username"] is not { Length: > 0 } user || !engine.Options.Users.TryGetValue(YateText.ToText(user), out string? password)) return new(false);
            m.Return = YateText.Of(password);
            return new(true);
        });
        engine.Install("user.register", 100, "regfile", m =>
        {
            if (m["username"] is not { } user || !engine.Options.Users.ContainsKey(YateText.ToText(user))) return new(false);
            Contacts[user] = m["data"] ?? "";
            return new(true);
        });
        engine.Install("user.unregister", 100, "regfile", m => new(m["username"] is { } user && Contacts.Remove(user)));
        engine.Install("call.route", 100, "regfile", m =>
        {
            if (m["called"] is not { } called || !Contacts.TryGetValue(called, out string? place)) return new(false);
            m.Return = place;
            return new(true);
        });
    }

    /// <summary>A phone registers, with a password, and takes the answer: the SIP status.</summary>
    public async Task<int> RegisterAsync(string user, string password, int expires)
    {
        YateMessage first = Auth(user, expires, null);
        bool known = await engine.DispatchAsync(first).ConfigureAwait(true);
        if (known && first.Return is "-") return Refusal(first);
        // An empty answer lets it in without a password.
        if (known && first.Return.Length == 0) return await AcceptAsync(user, expires).ConfigureAwait(true);
        YateMessage second = Auth(user, expires, SipDriver.NewNumber());
        known = await engine.DispatchAsync(second).ConfigureAwait(true);
        if (known && second.Return is "-") return Refusal(second);
        if (known && (second.Return.Length == 0 || second.Return == YateText.Of(password))) return await AcceptAsync(user, expires).ConfigureAwait(true);
        second.Name = "user.authfail";
        second.Return = "";
        second.Clear("handlers");
        engine.Enqueue(second);
        return 401;
    }

    private static int Refusal(YateMessage message) => message["error"] is { } error && Reasons.Status(error) is var status and > 0 ? status : 401;

    private async Task<int> AcceptAsync(string user, int expires)
    {
        YateMessage message = engine.NewMessage(expires == 0 ? "user.unregister" : "user.register");
        message.Set("number", user).Set("sip_uri", "sip:127.0.0.1:5780").Set("sip_callid", $"1-{SipDriver.NewNumber()}@127.0.0.1").Set("expires", YateText.Word(expires)).Set("username", user).Set("realm", "Yate");
        message.Set("newcall", false).Set("domain", "127.0.0.1").Set("device", "sipp").Set("driver", "sip").Set("data", $"sip/sip:{user}@127.0.0.1:5795");
        Transport(message).Set("route_params", "oconnection_id").Set("oconnection_id", "general").Set("sip_to", $"sip:{user}@127.0.0.1:5795").Set("sip_contact", $"<sip:{user}@127.0.0.1:5795>");
        message.Set("sip_expires", YateText.Word(expires)).Set("sip_user-agent", "sipp");
        return await engine.DispatchAsync(message).ConfigureAwait(true) ? 200 : 404;
    }

    private static YateParams Transport(YateMessage message) =>
        message.Set("ip_host", "127.0.0.1").Set("ip_port", "5795").Set("ip_transport", "UDP").Set("address", "127.0.0.1:5795").Set("connection_id", "general").Set("connection_reliable", false);

    private YateMessage Auth(string user, int expires, string? nonce)
    {
        YateMessage message = engine.NewMessage("user.auth");
        message.Set("protocol", "sip");
        if (nonce is not null) message.Set("username", user).Set("realm", "Yate").Set("nonce", nonce).Set("response", Guid.NewGuid().ToString("N"));
        message.Set("method", "REGISTER").Set("uri", "sip:127.0.0.1:5780");
        Transport(message).Set("newcall", false).Set("domain", "127.0.0.1").Set("device", "sipp").Set("number", user).Set("expires", YateText.Word(expires));
        return message;
    }
}
