using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace IfBus.Sip.Simulators.Asterisk;

/// <summary>One client's connection: strictly serial, with the server's own limits and refusals (wire recordings of 22.10).</summary>
internal sealed class ManagerConnection(Stream stream, Switchboard board, AsteriskSimulatorOptions options) : SimulatorConnection(stream, options)
{
    private const int MaxAction = 4 * 1024 * 1024;
    private const int MaxLine = 1022;
    private const int MaxLines = 128;

    // Each event is put to them, and most clients ask for the same.
    private static readonly ConcurrentDictionary<string, Regex> Filters = new(StringComparer.Ordinal);

    private readonly List<string> _held = [];
    private readonly List<Regex> _blackList = [];
    private readonly List<Regex> _whiteList = [];
    private bool _holding;
    private string? _challenge;

    /// <summary>The user that is logged in.</summary>
    public AsteriskSimulatorUser? User { get; private set; }

    /// <summary>Event classes that it asked for; null is all.</summary>
    public HashSet<string>? Mask { get; set; }

    /// <inheritdoc/>
    protected override async Task ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        Write($"Asterisk Call Manager/{(board.IsVersion16 ? "5.0.4" : "11.0.0")}\r\n");
        byte[] buffer = new byte[64 * 1024];
        int end = 0;
        var lines = new List<string>();
        bool tooLong = false, empty = false;
        while (!Closed)
        {
            int count = await stream.ReadAsync(buffer.AsMemory(end), cancellationToken).ConfigureAwait(false);
            if (count == 0) break;
            end += count;
            int at = 0;
            while (!Closed && buffer.AsSpan(at, end - at).IndexOf((byte)'\n') is >= 0 and int length)
            {
                ReadOnlySpan<byte> line = buffer.AsSpan(at, length);
                at += length + 1;
                if (line.Length > 0 && line[^1] == '\r') line = line[..^1];
                if (line.Length > MaxLine)
                {
                    // The line is lost, and its end is read as an empty line if just that did not fit.
                    tooLong = true;
                    empty |= line.Length == MaxLine + 1;
                    continue;
                }

                if (line.IndexOf((byte)0) is >= 0 and int nul) line = line[..nul];
                if (line.Length > 0)
                {
                    lines.Add(Encoding.Latin1.GetString(line));
                    continue;
                }

                await TakeAsync(lines, tooLong, cancellationToken).ConfigureAwait(false);
                if (empty) await TakeAsync([], false, cancellationToken).ConfigureAwait(false);
                lines.Clear();
                (tooLong, empty) = (false, false);
            }

            buffer.AsSpan(at, end - at).CopyTo(buffer);
            end -= at;
            if (end == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
            if (buffer.Length > MaxAction) break;
        }
    }

    /// <summary>An event, under the switchboard's lock.</summary>
    public void OnEvent(string privilege, string text)
    {
        if (User is null || !Wants(privilege)) return;
        if (_whiteList.Count > 0 && !_whiteList.Exists(r => r.IsMatch(text))) return;
        if (_blackList.Exists(r => r.IsMatch(text))) return;
        if (_holding)
        {
            _held.Add(text);
            return;
        }

        Write(text);
        CloseIfUnread();
    }

    /// <summary>Adds text to what is to be sent.</summary>
    public void Write(string text) => Write(Encoding.Latin1.GetBytes(text));

    /// <summary>True if the user may receive events of a class and has asked for it.</summary>
    public bool Wants(string privilege) => May(User?.Read, privilege) && (Mask is null || Mask.Contains(privilege));

    /// <summary>True if the user may use actions of one of these classes; none means anybody.</summary>
    public bool MayUse(string classes) => classes.Length == 0 || classes.Split(',').Any(c => May(User?.Write, c));

    /// <summary>Adds a filter as Asterisk does; false if the expression is bad.</summary>
    public bool AddFilter(string filter)
    {
        try
        {
            bool excludes = filter.StartsWith('!');
            // Asterisk reads POSIX expressions, which name classes of characters so.
            string expression = (excludes ? filter[1..] : filter).Replace("[:cntrl:]", @"\p{Cc}", StringComparison.Ordinal).Replace("[:digit:]", "0-9", StringComparison.Ordinal).Replace("[:space:]", @"\s", StringComparison.Ordinal);
            (excludes ? _blackList : _whiteList).Add(Filters.GetOrAdd(expression, static e => new Regex(e, RegexOptions.Singleline | RegexOptions.Compiled, TimeSpan.FromSeconds(1))));
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    /// <summary>Holds events back while an action that is not done keeps the session.</summary>
    public void Hold(bool hold)
    {
        _holding = hold;
        if (hold) return;
        _held.ForEach(t => Write(t));
        _held.Clear();
    }

    private static bool May(string? classes, string wanted) => classes is not null && (classes == "all" || classes.Split(',').Contains(wanted));

    private async Task TakeAsync(List<string> lines, bool tooLong, CancellationToken cancellationToken)
    {
        if (lines.Count == 0 && !tooLong)
        {
            Write("Response: Error\r\nMessage: Missing action in request\r\n\r\n");
            return;
        }

        var action = new ManagerAction(lines);
        board.CountAction();
        if (tooLong)
        {
            Reply(action, "Error", "Failed to parse message: line too long");
        }
        else if (lines.Count > MaxLines)
        {
            Write("Response: Error\r\nMessage: Too many lines in message or allocation failure\r\n\r\n");
        }
        else if (action.Name.Length == 0)
        {
            Reply(action, "Error", "Missing action in request");
        }
        else if (board.IsStopping)
        {
            Reply(action, "Error", "Asterisk is shutting down");
        }
        else if (action.Is("Login"))
        {
            await LoginAsync(action, cancellationToken).ConfigureAwait(false);
        }
        else if (action.Is("Challenge"))
        {
            if (action["AuthType"].Equals("MD5", StringComparison.OrdinalIgnoreCase))
            {
                _challenge = RandomNumberGenerator.GetInt32(100_000_000, int.MaxValue).ToString(System.Globalization.CultureInfo.InvariantCulture);
                Reply(action, "Success", null, $"Challenge: {_challenge}\r\n");
            }
            else
            {
                Reply(action, "Error", "Must specify AuthType");
            }
        }
        else if (action.Is("Logoff"))
        {
            Reply(action, "Goodbye", "Thanks for all the fish.");
            CloseWhenWritten();
        }
        else if (User is null)
        {
            Reply(action, "Error", "Permission denied");
        }
        else
        {
            await ManagerActions.RunAsync(action, this, board, options, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Writes a response.</summary>
    public void Reply(ManagerAction action, string response, string? message, string more = "") =>
        Write($"Response: {response}\r\n{action.IdHeader}{(message is null ? "" : $"Message: {message}\r\n")}{more}\r\n");

    private async Task LoginAsync(ManagerAction action, CancellationToken cancellationToken)
    {
        if (User is not null)
        {
            Reply(action, "Success", "Already authenticated");
            return;
        }

        AsteriskSimulatorUser? user = options.Users.Append(new AsteriskSimulatorUser { Name = options.User, Secret = options.Secret })
            .FirstOrDefault(u => Bytes(u.Name) == action["Username"]);
        bool good = user is not null && (action["AuthType"].Equals("MD5", StringComparison.OrdinalIgnoreCase)
            ? _challenge is not null && Digest(_challenge + Bytes(user.Secret)).Equals(action["Key"], StringComparison.OrdinalIgnoreCase)
            : action["Secret"] == Bytes(user.Secret));
        if (!good)
        {
            await Task.Delay(options.LoginRefusalDelay, options.TimeProvider, cancellationToken).ConfigureAwait(false);
            Reply(action, "Error", "Authentication failed");
            CloseWhenWritten();
            return;
        }

        lock (board.Sync)
        {
            User = user;
            if (action.Has("Events")) Mask = ParseMask(action["Events"]);
            Reply(action, "Success", "Authentication accepted");
            if (board.IsBooted && Wants("system")) Write($"Event: FullyBooted\r\nPrivilege: system,all\r\n{board.BootText()}\r\n");
            board.Add(this);
        }
    }

    /// <summary>Reads an event mask; null is all, empty none.</summary>
    public static HashSet<string>? ParseMask(string mask) => mask.ToLowerInvariant() switch
    {
        "on" or "all" or "1" or "yes" or "true" => null,
        "off" or "none" or "0" or "no" or "false" => [],
        string list => [.. list.Split(',', StringSplitOptions.TrimEntries).Where(c => c is "system" or "call" or "log" or "verbose" or "command" or "agent" or "user" or "config" or "dtmf" or "reporting" or "cdr" or "dialplan" or "originate" or "security")],
    };

    // The client's bytes, one character each.
    private static string Bytes(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

#pragma warning disable CA5351 // the protocol knows MD5 only
    private static string Digest(string text) => Convert.ToHexString(MD5.HashData(Encoding.Latin1.GetBytes(text)));
#pragma warning restore CA5351
}
