using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>What a login learnt about its server.</summary>
/// <param name="Version">For instance <c>Asterisk 22.10.1</c>.</param>
/// <param name="StartedAt">Start of the server, UTC, to the second.</param>
/// <param name="Commands">The actions that this login may use, by the server's own list.</param>
/// <param name="HasCallEvents">False if the login lacks read class call.</param>
/// <param name="HasDialplan">The extensions of ours are in its dialplan.</param>
/// <param name="TransferCode">Feature code of attended transfers; null if there is none.</param>
/// <param name="IsListed">The live channels were listed.</param>
internal sealed record AsteriskLoginResult(
    string Version, DateTime? StartedAt, IReadOnlySet<string> Commands, bool HasCallEvents, bool HasDialplan, string? TransferCode, bool IsListed);

/// <summary>Gets what a login learns of the calls, on the reader, at its place among the events.</summary>
internal interface IAsteriskLoginSink
{
    /// <summary>The live channels.</summary>
    void OnChannels(IReadOnlyList<AmiMessage> channels, DateTime? startedAt);

    /// <summary>The Uniqueids of those that are on hold.</summary>
    void OnHold(IReadOnlySet<string> onHold);
}

/// <summary>
/// From the greeting to a session that can be used: login, event mask, boot, capabilities, the live channels. In clear
/// the secret goes as MD5 of a challenge, over TLS as it is; there is no fall-back from one to the other.
/// </summary>
internal static class AsteriskLogin
{
    // No cel (it is in class call anyway), no dialplan: they are half of the traffic, and class dialplan can carry forged events.
    private const string EventMask = "system,call,cdr,dtmf";

    // What the server keeps to itself, as it reads expressions (POSIX extended). First what is in class call whether asked
    // for or not. Then events that hold another: a caller's number, an account code or the arguments in a Cdr go out as they
    // are, with line breaks and all (Asterisk 22.10), and whoever can set them could write events of anybody's calls.
    private static readonly string[] Unwanted = ["Event: CEL", "[[:cntrl:]]{4}[^[:cntrl:]]"];

    /// <summary>Logs in and learns what there is to know.</summary>
    /// <exception cref="SipAuthenticationException">The server refused the login.</exception>
    public static async Task<AsteriskLoginResult> RunAsync(AmiSession session, IAsteriskLoginSink calls, SipServerConfiguration configuration, string name, ILogger log, TimeProvider time, CancellationToken cancellationToken)
    {
        await AuthenticateAsync(session, configuration, name, EventMask, cancellationToken).ConfigureAwait(false);

        // FullyBooted stands right behind the login's reply if the server is up, so it is there before the next reply.
        Task<AmiReply> mask = session.RequestAsync(new AmiAction("Events").Add("EventMask", EventMask), cancellationToken);
        Task<AmiReply> settings = session.RequestAsync(new AmiAction("CoreSettings"), cancellationToken);
        Task<AmiReply> commands = session.RequestAsync(new AmiAction("ListCommands"), cancellationToken);
        AmiReply masked = await mask.ConfigureAwait(false);
        AmiReply set = await settings.ConfigureAwait(false);
        HashSet<string> allowed = ReadCommands(await commands.ConfigureAwait(false));
        if (!session.FullyBooted.IsCompletedSuccessfully) allowed = await WaitForBootAsync(session, allowed, name, log, time, cancellationToken).ConfigureAwait(false);

        bool hasCallEvents = masked.IsSuccess && masked.Response.Get("Events"u8) != "Off";
        if (allowed.Contains("Filter")) await KeepOutAsync(session, name, log, cancellationToken).ConfigureAwait(false);
        DateTime? startedAt = allowed.Contains("CoreStatus") ? await StartedAtAsync(session, time, cancellationToken).ConfigureAwait(false) : null;
        AmiReply channels = default;
        if (allowed.Contains("CoreShowChannels"))
        {
            channels = await session.RequestAsync(new AmiAction("CoreShowChannels"), cancellationToken, taken: r =>
            {
                // A list that is refused is not one without calls.
                if (r.IsSuccess) calls.OnChannels(r.Items, startedAt);
            }).ConfigureAwait(false);
        }

        // A phone's hold is in no list, and its event came before we were there.
        bool bridged = channels.Items?.Any(c => !c.Find("BridgeId"u8).IsEmpty) == true;
        if (bridged && allowed.Contains("Status"))
        {
            await session.RequestAsync(new AmiAction("Status").Add("Variables", "CHANNEL(onhold)"), cancellationToken, taken: r =>
            {
                if (OnHold(r) is { } onHold) calls.OnHold(onHold);
            }).ConfigureAwait(false);
        }

        bool hasDialplan = false;
        string? transferCode = null;
        if (allowed.Contains("Getvar"))
        {
            Task<AmiReply> code = session.RequestAsync(new AmiAction("Getvar").Add("Variable", "FEATUREMAP(atxfer)"), cancellationToken);
            // The last that is added, so the others are there too.
            hasDialplan = AsteriskDialplan.IsYes(await session.RequestAsync(AsteriskDialplan.Exists(AsteriskDialplan.Context, AsteriskDialplan.Room("1")), cancellationToken).ConfigureAwait(false));
            transferCode = (await code.ConfigureAwait(false)).Response.Get("Value"u8) is { Length: > 0 } value ? value : null;
        }

        string version = set.Response?.Get("AsteriskVersion"u8) is { Length: > 0 } asterisk ? "Asterisk " + Short(asterisk) : "Asterisk Manager " + await session.Greeting.ConfigureAwait(false);
        return new AsteriskLoginResult(version, startedAt, allowed, hasCallEvents, hasDialplan, transferCode, IsListed: channels.Response is not null && channels.IsSuccess);
    }

    /// <summary>Opens a second connection of the same login, without events, for what takes its time.</summary>
    public static async Task<AmiSession> OpenSecondAsync(Connection.WireEndpoint endpoint, SipServerConfiguration configuration, string name, ILogger log, TimeProvider time, CancellationToken cancellationToken)
    {
        AmiSession session = await AmiSession.OpenAsync(endpoint, configuration, new NoEvents(), log, time, cancellationToken).ConfigureAwait(false);
        try
        {
            await AuthenticateAsync(session, configuration, name, "off", cancellationToken).ConfigureAwait(false);
            return session;
        }
        catch
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async Task AuthenticateAsync(AmiSession session, SipServerConfiguration configuration, string name, string events, CancellationToken cancellationToken)
    {
        string user = configuration.Credential?.UserName ?? "";
        string secret = configuration.Credential?.Password ?? "";
        AmiAction login;
        if (configuration.UseTls)
        {
            login = new AmiAction("Login").Add("Username", user, "Credential").Add("Secret", secret);
        }
        else
        {
            AmiReply challenge = await session.RequestAsync(new AmiAction("Challenge").Add("AuthType", "MD5"), cancellationToken).ConfigureAwait(false);
            string? digits = challenge.Response.Get("Challenge"u8);
            if (!challenge.IsSuccess || string.IsNullOrEmpty(digits)) throw Refused(challenge.Message, name, user);
#pragma warning disable CA5351 // the protocol knows MD5 only; it keeps the secret itself off the wire
            string key = Convert.ToHexString(MD5.HashData(Encoding.UTF8.GetBytes(digits + secret))).ToLowerInvariant();
#pragma warning restore CA5351
            login = new AmiAction("Login").Add("AuthType", "MD5").Add("Username", user, "Credential").Add("Key", key);
        }

        AmiReply reply = await session.RequestAsync(login.Add("Events", events), cancellationToken).ConfigureAwait(false);
        if (!reply.IsSuccess) throw Refused(reply.Message, name, user);
    }

    private static SipException Refused(string said, string name, string user) =>
        said.Contains("shutting down", StringComparison.OrdinalIgnoreCase)
            ? new SipConnectionException($"{name} is shutting down.", errorId: "SipServerShuttingDown")
            : new SipAuthenticationException($"{name} refused the login of '{SipText.Printable(user)}': {SipText.Printable(said)}.")
            {
                RecommendedAction = "Asterisk says the same for a wrong secret, an unknown user and an address that the user's permit/deny refuses: check manager.conf and the credential.",
            };

    // A login without class system is never told FullyBooted. Modules bring their actions as they are loaded, so the list
    // of actions grows until the server is up: wait for whichever comes first.
    private static async Task<HashSet<string>> WaitForBootAsync(AmiSession session, HashSet<string> before, string name, ILogger log, TimeProvider time, CancellationToken cancellationToken)
    {
        Log.WaitingForBoot(log, name);
        int steady = 0;
        while (true)
        {
            Task pause = Task.Delay(TimeSpan.FromMilliseconds(250), time, cancellationToken);
            await Task.WhenAny(session.FullyBooted, pause).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            bool booted = session.FullyBooted.IsCompletedSuccessfully;
            HashSet<string> now = ReadCommands(await session.RequestAsync(new AmiAction("ListCommands"), cancellationToken).ConfigureAwait(false));
            steady = now.Count == before.Count ? steady + 1 : 0;
            if (booted || steady >= 2) return now;
            before = now;
        }
    }

    private static async Task KeepOutAsync(AmiSession session, string name, ILogger log, CancellationToken cancellationToken)
    {
        Task<AmiReply>[] replies = [.. Unwanted.Select(f => session.RequestAsync(new AmiAction("Filter").Add("Operation", "Add").Add("Filter", "!" + f), cancellationToken))];
        foreach (AmiReply reply in await Task.WhenAll(replies).ConfigureAwait(false))
        {
            if (!reply.IsSuccess) Log.FilterRefused(log, name, reply.Message);
        }
    }

    // The server tells its start in its own local time, without a zone. It is taken as ours, and left out when that
    // cannot be, since it would lie in the future.
    private static async Task<DateTime?> StartedAtAsync(AmiSession session, TimeProvider time, CancellationToken cancellationToken)
    {
        AmiReply status = await session.RequestAsync(new AmiAction("CoreStatus"), cancellationToken).ConfigureAwait(false);
        string text = $"{status.Response.Get("CoreStartupDate"u8)} {status.Response.Get("CoreStartupTime"u8)}";
        return DateTime.TryParseExact(text, "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal | DateTimeStyles.AdjustToUniversal, out DateTime started)
            && started <= time.GetUtcNow().UtcDateTime.AddMinutes(1)
            ? started
            : null;
    }

    private static HashSet<string>? OnHold(AmiReply status)
    {
        if (!status.IsSuccess) return null;
        var found = new HashSet<string>(StringComparer.Ordinal);
        bool told = false;
        foreach (AmiMessage channel in status.Items)
        {
            ReadOnlySpan<byte> variable = channel.Find("Variable"u8);
            told |= variable.StartsWith("CHANNEL(onhold)="u8);
            if (variable.SequenceEqual("CHANNEL(onhold)=1"u8)) found.Add(channel.Get("Uniqueid"u8) ?? "");
        }

        return told ? found : null;
    }

    private static HashSet<string> ReadCommands(AmiReply reply)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        if (!reply.IsSuccess) return names;
        var headers = new AmiHeaders(reply.Response.Bytes);
        while (headers.MoveNext())
        {
            if (!headers.Value.IsEmpty) names.Add(Encoding.UTF8.GetString(headers.Name));
        }

        return names;
    }

    // 22.10.1+dfsg+~cs6.17.60671434-1 is 22.10.1 to a reader.
    private static string Short(string version)
    {
        int end = version.AsSpan().IndexOfAny('+', '~', ' ');
        return end > 0 ? version[..end] : version;
    }

    private sealed class NoEvents : IAmiEventSink
    {
        public void OnEvent(ReadOnlySpan<byte> name, ReadOnlySpan<byte> message)
        {
        }
    }
}
