using System.Text.Json;
using IfBus.Sip.Adapters.Http;

namespace IfBus.Sip.Adapters.Flexisip;

/// <summary>A FlexiAPI that has answered, and what the login may do there.</summary>
internal sealed class FlexisipSession : ISipSession
{
    private readonly HttpPulse _pulse;

    private FlexisipSession(FlexisipClient client, HttpPulse pulse)
    {
        Client = client;
        _pulse = pulse;
        client.Failed = _ => pulse.Look();
    }

    public FlexisipClient Client { get; }

    /// <summary>True for version 2.0, which has a limit of requests and no call history.</summary>
    public bool Is20 { get; private init; }

    /// <summary>True if the login may administrate.</summary>
    public bool IsAdmin { get; private init; }

    /// <summary>True if it may administrate all spaces.</summary>
    public bool IsSuper { get; private init; }

    /// <summary>The SIP domain of the space, if it could be learnt.</summary>
    public string? Domain { get; private init; }

    /// <summary>Address of the login's own account, if it has one here.</summary>
    public SipAccount? Me { get; private init; }

    public Task<Exception> Closed => _pulse.Closed;

    public string Version => Is20 ? "FlexiAPI 2.0" : "FlexiAPI 2.1";

    /// <summary>FlexiAPI does not tell.</summary>
    public DateTime? StartedAt => null;

    public SipCapabilities Capabilities { get; private init; }

    /// <summary>Finds out what is there and what the login may do: nothing of it changes anything.</summary>
    public static async Task<FlexisipSession> OpenAsync(FlexisipClient client, SipServerConfiguration configuration, string name, bool acceptedBefore, TimeProvider time, CancellationToken cancellationToken)
    {
        string host = configuration.Space ?? configuration.Host!;
        FlexisipReply ping = await PingAsync(client, name, host, cancellationToken).ConfigureAwait(false);
        bool is20 = ping.RateLimit is not null;

        FlexisipReply own = await client.SendAsync(HttpMethod.Get, "/accounts/me", "the login's own account", cancellationToken).ConfigureAwait(false);
        SipAccount? me = own is { IsSuccess: true, Json: { ValueKind: JsonValueKind.Object } json } ? FlexisipMapper.Account(json, name) : null;

        // On 2.1 nothing but a key is taken for the administration.
        FlexisipReply? list = is20 || configuration.ApiKey is { } key && !FlexisipClient.IsToken(key)
            ? await client.SendAsync(HttpMethod.Get, "/accounts?page=1", "the list of accounts", cancellationToken).ConfigureAwait(false)
            : null;
        bool admin = list is { IsSuccess: true };
        if (!admin && !own.IsSuccess)
        {
            // Blocked accounts are told by 403, and so is a token that is nobody's.
            if (own.Status is 401 or 404 or 302) throw FlexisipErrors.Login(own, name, configuration, acceptedBefore);
            throw FlexisipErrors.For(own, name, "let us in; the account may be blocked");
        }

        FlexisipReply? spaces = admin ? await client.SendAsync(HttpMethod.Get, "/spaces", "the list of spaces", cancellationToken).ConfigureAwait(false) : null;
        bool super = spaces is { IsSuccess: true, Json.ValueKind: JsonValueKind.Array };
        string? domain = (super ? SpaceOf(spaces!.Json!.Value, host) : null) ?? (is20 ? me?.Domain ?? FirstOf(list) : FirstOf(list) ?? me?.Domain);

        SipCapabilities can = SipCapabilities.OwnAccount | SipCapabilities.PushNotification | SipCapabilities.RawCommand;
        if (admin) can |= SipCapabilities.Accounts | SipCapabilities.Statistics;
        if (super) can |= SipCapabilities.Spaces;
        if (!is20) can |= SipCapabilities.AccountCalls | SipCapabilities.CallForwarding;
        HttpPulse pulse = HttpPulse.Start(token => PingAsync(client, name, host, token), configuration.KeepAlive, time);
        return new FlexisipSession(client, pulse) { Is20 = is20, IsAdmin = admin, IsSuper = super, Domain = domain, Me = me, Capabilities = can };
    }

    /// <summary>The cheap request, which needs no login.</summary>
    public static async Task<FlexisipReply> PingAsync(FlexisipClient client, string name, string host, CancellationToken cancellationToken)
    {
        FlexisipReply ping = await client.SendAsync(HttpMethod.Get, "/ping", "ping", cancellationToken, open: true).ConfigureAwait(false);
        switch (ping.Status)
        {
            case 404: throw FlexisipErrors.UnknownHost(name, host, FlexisipErrors.Words(ping));
            case 403: throw FlexisipErrors.Expired(name, host, FlexisipErrors.Words(ping));
            case 200 when ping.Text.Trim() == "pong": return ping;
            case 200: throw new SipProtocolException($"What answers at {host} is no FlexiAPI: it does not say pong.");
            default: throw FlexisipErrors.For(ping, name, "answer a ping");
        }
    }

    public Task CloseAsync(CancellationToken cancellationToken)
    {
        _pulse.Dispose();
        Client.Dispose();
        return Task.CompletedTask;
    }

    private static string? SpaceOf(JsonElement spaces, string host) =>
        spaces.EnumerateArray().Where(s => string.Equals(FlexisipMapper.Text(s, "host"), host, StringComparison.OrdinalIgnoreCase)).Select(s => FlexisipMapper.Text(s, "domain")).FirstOrDefault();

    private static string? FirstOf(FlexisipReply? list) =>
        list?.Json is { } page && FlexisipMapper.Property(page, "data") is { ValueKind: JsonValueKind.Array } rows && rows.GetArrayLength() > 0 ? FlexisipMapper.Text(rows[0], "domain") : null;
}
