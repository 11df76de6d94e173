using System.Text.Json;
using System.Text.Json.Nodes;
using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.Flexisip;

/// <summary>
/// A Flexisip through FlexiAPI, the HTTP interface of its account manager, versions 2.0 and 2.1: accounts, devices, the
/// record of calls. FlexiAPI has no connection to the proxy's calls; whatever would need one is refused with that reason
/// before anything is sent.
/// </summary>
internal sealed partial class FlexisipAdapter : SipAdapterBase<FlexisipSession>
{
    /// <summary>Where FlexiAPI begins.</summary>
    public const string DefaultPath = "/api";

    private const string NoCalls = "FlexiAPI, the account manager of Flexisip, has no connection to the proxy's calls: it cannot make, list, end, hold, move or record one";

    private readonly TimeSpan? _window;
    private bool _acceptedBefore;

    public FlexisipAdapter(SipServerConfiguration configuration, ILogger log, TimeProvider time, TimeSpan? window = null)
        : base(configuration, SipServerType.Flexisip, configuration.Port!.Value, log, time) => _window = window;

    /// <summary>The rules of this kind of server.</summary>
    public static void Check(SipServerConfiguration c, List<SipConfigurationProblem> problems)
    {
        void Add(string parameter, string? value, string rule) => problems.Add(new SipConfigurationProblem(parameter, value, rule));
        if (c.ApiKey is null && string.IsNullOrEmpty(c.Credential?.Password)) Add("ApiKey", null, "an API key (web panel: Admin > API Keys) or an OpenID Connect token is needed, or a Credential: the SIP address user@domain of an account with its password.");
        else if (c.ApiKey is not null && c.Credential is not null) Add("Credential", c.Credential.UserName, "goes not with an API key: one login, not two.");
        else if (c.Credential is { } login && FlexisipNames.Split(login.UserName) is null) Add("Credential", login.UserName, "the user is a whole SIP address, user@domain.");
        if (c.Space is { } space && (Uri.CheckHostName(space) is UriHostNameType.Unknown)) Add("Space", space, "a host name, without scheme, port and path.");
        if (c.EndpointTemplate is not null) Add("EndpointTemplate", c.EndpointTemplate, "Flexisip makes no calls, so it has no numbers to address.");
        if (c.Context is not null) Add("Context", c.Context, "Flexisip makes no calls, so it has no dialplan.");
    }

    /// <summary>Fills in what is not given: without a port it is TLS on 443.</summary>
    public static void Complete(SipServerConfiguration c)
    {
        if (c.Port is null) c.UseTls = true;
        c.Port ??= 443;
        c.Path = c.Path?.TrimEnd('/') ?? DefaultPath;
    }

    protected override async Task<FlexisipSession> OpenAsync(CancellationToken cancellationToken)
    {
        if (!Configuration.UseTls && !WireEndpoint.IsLoopback(Configuration.Host!)) Log.ClearText(Logger, Name, Configuration.Host!);
        var client = new FlexisipClient(Configuration, Name, Port, Logger, Time, _window);
        try
        {
            FlexisipSession session = await FlexisipSession.OpenAsync(client, Configuration, Name, _acceptedBefore, Time, cancellationToken).ConfigureAwait(false);
            _acceptedBefore = true;
            return session;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    protected override void CheckCall(FlexisipSession session, SipCallRequest request) => throw NotSupported(session, SipCapabilities.MakeCall);

    protected override Task<SipCall> MakeCallAsync(FlexisipSession session, SipCallRequest request, CallSlot? slot, CancellationToken cancellationToken) => throw NotSupported(session, SipCapabilities.MakeCall);

    protected override Task<SipCall> HangUpAsync(FlexisipSession session, string callId, HangupCause cause, CancellationToken cancellationToken) => throw NotSupported(session, SipCapabilities.HangUp);

    protected override Task<IReadOnlyList<SipCall>> GetCallsAsync(FlexisipSession session, CancellationToken cancellationToken) => throw NotSupported(session, SipCapabilities.ListCalls);

    protected override Task<IReadOnlyList<SipCallDetailRecord>> GetCallDetailRecordsAsync(FlexisipSession session, SipDetailRecordFilter filter, CancellationToken cancellationToken) => throw NotSupported(session, SipCapabilities.CallDetailRecords);

    protected override async Task<SipServerHealth> MeasureAsync(FlexisipSession session, SipServerHealth health, CancellationToken cancellationToken)
    {
        await FlexisipSession.PingAsync(session.Client, Name, Configuration.Space ?? Configuration.Host!, cancellationToken).ConfigureAwait(false);
        return health;
    }

    /// <summary>A request by its method and path; the answer comes with its secrets masked.</summary>
    protected override async Task<SipCommandResult> InvokeCommandAsync(FlexisipSession session, SipCommandRequest request, CancellationToken cancellationToken)
    {
        const string Rule = "a method and a path behind /api, for instance 'GET /accounts/12/external': GET, POST, PUT, PATCH or DELETE; letters, digits and - . _ ~ @ : + % ? = & / in the path, and no ..";
        string[] parts = request.Name.Split(' ', 2);
        if (parts.Length != 2 || parts[0] is not ("GET" or "POST" or "PUT" or "PATCH" or "DELETE") || !parts[1].StartsWith('/') || parts[1].Contains("..", StringComparison.Ordinal) || parts[1].Contains("//", StringComparison.Ordinal)
            || !parts[1].All(c => char.IsAsciiLetterOrDigit(c) || "-._~@:+%?=&/".Contains(c, StringComparison.Ordinal)))
            throw new SipArgumentException("Name", request.Name, Rule);

        JsonNode? body = null;
        if (request.Fields.Count == 1 && request.Fields[0].Key.Equals("Body", StringComparison.OrdinalIgnoreCase))
        {
            try
            {
                body = JsonNode.Parse(request.Fields[0].Value) as JsonObject ?? throw new JsonException();
            }
            catch (JsonException)
            {
                throw new SipArgumentException("Field", "Body", "the text of a JSON object.");
            }
        }
        else if (request.Fields.Count > 0)
        {
            var map = new JsonObject();
            foreach ((string name, string value) in request.Fields) map[name] = value;
            body = map;
        }

        // A GET too can change something (provision): it is never sent twice.
        FlexisipReply reply = await session.Client.SendAsync(new HttpMethod(parts[0]), parts[1], request.Name, cancellationToken, body, read: false).ConfigureAwait(false);
        string words = FlexisipErrors.Words(reply);
        string text = reply.Json is { } json ? FlexisipMapper.Masked(json) : reply.Text;
        return new SipCommandResult
        {
            Server = Name,
            Command = request.Name,
            Success = reply.IsSuccess,
            Message = reply.IsSuccess ? $"{reply.Status}" : $"{reply.Status} {words}",
            // The one reply that is a bare secret.
            Output = parts[1].Contains("api_key", StringComparison.OrdinalIgnoreCase) ? new[] { "***" } : text.Length == 0 ? Array.Empty<string>() : text.Split('\n'),
            Fields = reply.Json is { ValueKind: JsonValueKind.Object } fields ? FlexisipMapper.Fields(fields, []) : SipFieldCollection.Empty,
            Items = reply.Json is { } items ? Rows(items).Select(r => FlexisipMapper.Fields(r, [])).ToArray() : Array.Empty<SipFieldCollection>(),
        };
    }

    protected override async Task<SipStatistic> GetStatisticsAsync(FlexisipSession session, CancellationToken cancellationToken)
    {
        long accounts = await CountAccountsAsync(session, cancellationToken).ConfigureAwait(false);
        var fields = new List<SipField> { new("Accounts", Text(accounts)), new("Domain", session.Domain ?? "") };
        if (session.IsSuper)
        {
            foreach (SipSpace space in await GetSpacesAsync(session, cancellationToken).ConfigureAwait(false))
            {
                fields.Add(new SipField("Space", space.Domain));
                if (space.Domain != session.Domain) continue;
                if (space.MaxAccounts is { } most) fields.Add(new SipField("MaxAccounts", Text(most)));
                if (space.ExpiresAt is { } at) fields.Add(new SipField("ExpiresAt", at.ToString("u", System.Globalization.CultureInfo.InvariantCulture)));
            }
        }

        return new SipStatistic { Server = Name, ServerType = SipServerType.Flexisip, Version = session.Version, Fields = new SipFieldCollection(fields) };
    }

    protected override SipNotSupportedException NotSupported(FlexisipSession session, SipCapabilities needed)
    {
        (string why, string? action) = needed switch
        {
            SipCapabilities.Registrations => ("FlexiAPI tells the registered devices of one account at a time", "Get-SipAccount | Get-SipDevice."),
            SipCapabilities.CallDetailRecords => ("FlexiAPI tells the records of one account at a time, and nothing of calls by itself", "Get-SipCallDetailRecord -Account (version 2.1)."),
            SipCapabilities.AccountCalls => ("version 2.0 of FlexiAPI does not tell calls; 2.1 does", "Version 2.0 shows them in its web panel, or the proxy writes event logs."),
            SipCapabilities.CallForwarding => ("version 2.0 of FlexiAPI has no call forwarding; 2.1 has", null),
            SipCapabilities.Accounts or SipCapabilities.Statistics when !session.Is20 && Configuration.ApiKey is null => ("version 2.1 of FlexiAPI administrates by API key only", "Connect with -ApiKey; a key is made in the web panel, Admin > API Keys."),
            SipCapabilities.Accounts or SipCapabilities.Statistics => ("the login is not an administrator of this space", "Connect with the API key of an administrator."),
            SipCapabilities.Spaces => ("the login is not a super administrator", "Connect with the API key of an administrator of a super space."),
            SipCapabilities.Gateways or SipCapabilities.Queues => ("FlexiAPI knows accounts and devices only", null),
            _ => (NoCalls, "Calls are made by SIP phones; Get-SipCallHistory -Account shows what became of them (version 2.1)."),
        };
        return new SipNotSupportedException($"{Name} cannot do it: {why}. Nothing was sent.", needed) { RecommendedAction = action };
    }

    private static string Text(long value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static IEnumerable<JsonElement> Rows(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Array => json.EnumerateArray().Where(r => r.ValueKind == JsonValueKind.Object),
        JsonValueKind.Object when FlexisipMapper.Property(json, "data") is { ValueKind: JsonValueKind.Array } rows => rows.EnumerateArray().Where(r => r.ValueKind == JsonValueKind.Object),
        _ => [],
    };

    /// <summary>Throws if the reply is no success; a 403 in the middle of a session may mean that the space has expired meanwhile.</summary>
    private async Task<FlexisipReply> CheckAsync(FlexisipSession session, FlexisipReply reply, string what, CancellationToken cancellationToken)
    {
        if (reply.IsSuccess) return reply;
        if (reply.Status == 403) await FlexisipSession.PingAsync(session.Client, Name, Configuration.Space ?? Configuration.Host!, cancellationToken).ConfigureAwait(false);
        throw FlexisipErrors.For(reply, Name, what);
    }

    private async Task<JsonElement> JsonAsync(FlexisipSession session, FlexisipReply reply, string what, CancellationToken cancellationToken)
    {
        await CheckAsync(session, reply, what, cancellationToken).ConfigureAwait(false);
        return reply.Json is { ValueKind: JsonValueKind.Object or JsonValueKind.Array } json ? json : throw new SipProtocolException($"{Name} answered the request to {what} with no JSON.");
    }
}
