using System.Globalization;
using System.Text.Json;
using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>Logs in to the Event Socket, subscribes, and learns what the server has and what this login may use.</summary>
internal static class FreeSwitchLogin
{
    private static readonly string[] Wanted =
    [
        .. FreeSwitchSession.CallEvents, "CHANNEL_PARK", "CHANNEL_UUID", "CHANNEL_HOLD", "CHANNEL_UNHOLD", "RECORD_START", "RECORD_STOP", "DTMF", "HEARTBEAT", "SHUTDOWN",
    ];

    /// <summary>A name with @ is a user of the directory (userauth); any other goes with the server's one password (auth).</summary>
    public static bool IsDirectoryUser(string name) => name.Contains('@', StringComparison.Ordinal);

    /// <summary>Does it all; the list of channels is read last, so nothing that happens after it is missed.</summary>
    /// <exception cref="SipAuthenticationException">The server refused the login.</exception>
    public static async Task<FreeSwitchLoginResult> RunAsync(EslSession session, SipServerConfiguration configuration, string name, ILogger log, TimeProvider time, CancellationToken cancellationToken)
    {
        EslReply login = await AuthenticateAsync(session, configuration, name, cancellationToken).ConfigureAwait(false);
        HashSet<string>? allowedEvents = Allowed(login, "Allowed-Events: ");
        HashSet<string>? allowedCommands = Allowed(login, "Allowed-API: ");
        HashSet<string> events = await SubscribeAsync(session, allowedEvents, cancellationToken).ConfigureAwait(false);
        session.HasJobs = events.Contains("BACKGROUND_JOB");
        if (!FreeSwitchSession.CallEvents.All(events.Contains)) Log.NoCallEvents(log, name);

        bool May(string command) => allowedCommands is null || allowedCommands.Contains(command);
        Task<EslReply?> AskAsync(string command) => AskIfAsync(session, May(command.Split(' ')[0]), command, cancellationToken);
        Task<EslReply?> version = AskAsync("version");
        Task<EslReply?> uptime = AskAsync("uptime");
        Task<EslReply?> commands = AskAsync("show api as json");
        Task<EslReply?> applications = AskAsync("show application as json");
        Task<EslReply?> formats = AskAsync("show file as json");
        Task<EslReply?> core = AskAsync("global_getvar core_uuid");
        Task<EslReply?> folder = AskAsync("global_getvar recordings_dir");
        Task<EslReply?> music = AskAsync("global_getvar hold_music");
        string? said = (await version.ConfigureAwait(false))?.Text ?? (await AskAsync("status").ConfigureAwait(false))?.Text;
        DateTime? startedAt = long.TryParse((await uptime.ConfigureAwait(false))?.Text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) && seconds < int.MaxValue
            ? time.GetUtcNow().UtcDateTime - TimeSpan.FromSeconds(seconds)
            : null;
        HashSet<string> usable = Names(await commands.ConfigureAwait(false)) ?? allowedCommands ?? [];
        if (allowedCommands is not null) usable.IntersectWith(allowedCommands);
        string? hold = Value(await music.ConfigureAwait(false));
        return new FreeSwitchLoginResult(
            Short(said),
            startedAt,
            Value(await core.ConfigureAwait(false)),
            usable,
            Names(await applications.ConfigureAwait(false)),
            Names(await formats.ConfigureAwait(false)) is { } known ? [.. known.Where(f => f is "wav" or "WAV" or "flac" or "ogg" or "mp3" or "au" or "raw" or "PCMU" or "PCMA" or "ul" or "al" or "gsm" or "L16" or "r8" or "r16" or "w64" or "aiff" or "caf" or "opus").Order(StringComparer.Ordinal)] : null,
            events,
            (await AskAsync("show channels as json").ConfigureAwait(false))?.Text,
            Value(await folder.ConfigureAwait(false)),
            hold is not null && hold != "silence");
    }

    /// <summary>Opens a second connection of the same login, without events.</summary>
    /// <exception cref="SipAuthenticationException">The server refused the login.</exception>
    public static async Task<EslSession> OpenSecondAsync(WireEndpoint endpoint, SipServerConfiguration configuration, string name, ILogger log, TimeProvider time, CancellationToken cancellationToken)
    {
        EslSession session = await EslSession.OpenAsync(endpoint, configuration, new NoEvents(), log, time, cancellationToken).ConfigureAwait(false);
        try
        {
            await AuthenticateAsync(session, configuration, name, cancellationToken).ConfigureAwait(false);
            return session;
        }
        catch
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async Task<EslReply> AuthenticateAsync(EslSession session, SipServerConfiguration configuration, string name, CancellationToken cancellationToken)
    {
        string user = configuration.Credential?.UserName ?? "";
        string secret = configuration.Credential?.Password ?? "";
        bool isUser = IsDirectoryUser(user);
        EslReply reply = await session.CommandAsync(isUser ? "userauth" : "auth", isUser ? $"userauth {user}:{secret}" : $"auth {secret}", cancellationToken).ConfigureAwait(false);
        if (!reply.IsError) return reply;
        throw new SipAuthenticationException(isUser
            ? $"{name} refused the login of '{SipText.Printable(user)}': {SipText.Printable(reply.Message)}."
            : $"{name} refused the password: {SipText.Printable(reply.Message)}.")
        {
            RecommendedAction = isUser
                ? "FreeSWITCH says the same for a wrong password and an unknown user: check esl-password of the user in the directory."
                : "Check the password of event_socket.conf. A user of the directory logs in as name@domain.",
        };
    }

    // One command for all; a login that may not have all of them is given those that it may.
    private static async Task<HashSet<string>> SubscribeAsync(EslSession session, HashSet<string>? allowed, CancellationToken cancellationToken)
    {
        string[] names = allowed is null ? Wanted : [.. Wanted.Where(allowed.Contains)];
        var given = new HashSet<string>(StringComparer.Ordinal);
        if (names.Length > 0)
        {
            EslReply reply = await session.CommandAsync("event", "event json " + string.Join(' ', names), cancellationToken).ConfigureAwait(false);
            if (!reply.IsError) given.UnionWith(names);
        }

        // After CUSTOM every word is a subclass.
        if (allowed is null || allowed.Contains("CUSTOM") || allowed.Contains("conference::maintenance"))
        {
            EslReply reply = await session.CommandAsync("event", "event json CUSTOM conference::maintenance", cancellationToken).ConfigureAwait(false);
            if (!reply.IsError) given.Add("CUSTOM");
        }

        return given;
    }

    private static async Task<EslReply?> AskIfAsync(EslSession session, bool may, string command, CancellationToken cancellationToken)
    {
        if (!may) return null;
        EslReply reply = await session.RunAsync(command, cancellationToken).ConfigureAwait(false);
        return reply.IsError ? null : reply;
    }

    // Null: no limit. The server writes a list of words, or nothing for a login by password.
    private static HashSet<string>? Allowed(EslReply login, string header)
    {
        foreach (string line in login.Head.Split('\n'))
        {
            if (!line.StartsWith(header, StringComparison.Ordinal)) continue;
            var words = line[header.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).ToHashSet(StringComparer.Ordinal);
            return words.Contains("ALL") || words.Contains("all") ? null : words;
        }

        return null;
    }

    private static HashSet<string>? Names(EslReply? list)
    {
        if (list is not { } reply) return null;
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (JsonElement row in FreeSwitchList.Rows(reply.Text))
        {
            if (FreeSwitchList.Text(row, "name") is { } name) names.Add(name);
        }

        return names;
    }

    private static string? Value(EslReply? reply) => reply?.Text.Trim() is { Length: > 0 } text and not "_undef_" ? text : null;

    // "FreeSWITCH Version 1.10.12-release~64bit ( 64bit)", or the second line of status.
    private static string Short(string? said)
    {
        int at = said?.IndexOf("Version ", StringComparison.Ordinal) ?? -1;
        if (at < 0) return "FreeSWITCH";
        string number = new([.. said![(at + "Version ".Length)..].TakeWhile(c => char.IsAsciiDigit(c) || c == '.')]);
        return number.Length == 0 ? "FreeSWITCH" : "FreeSWITCH " + number;
    }

    private sealed class NoEvents : IEslEventSink
    {
        public void OnEvent(ReadOnlySpan<byte> name, ReadOnlySpan<byte> json)
        {
        }

        public void OnReadBegins()
        {
        }

        public void OnReadEnds()
        {
        }
    }
}
