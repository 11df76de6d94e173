using System.Buffers;

namespace IfBus.Sip.Adapters;

/// <summary>Checks of what callers give that are the same for all kinds of server. Each error names the parameter, the value and what is allowed; nothing has been sent.</summary>
internal static class CallRules
{
    /// <summary>What a bare number may hold; letters too, since extensions have names.</summary>
    public const string NumberRule = "a number or extension has 1 to 80 letters, digits and + * # . _ -";

    /// <summary>Where called numbers are looked up unless connection or call say otherwise.</summary>
    public const string DefaultContext = "default";

    /// <summary>What the name of a variable may be.</summary>
    public const string VariableRule = "a variable's name has 1 to 80 letters, digits and _, and does not begin with a digit";

    private const string ContextRule = "a dialplan context has 1 to 79 letters, digits and . _ -";
    private static readonly SearchValues<char> Number = SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+*#._-");
    private static readonly SearchValues<char> Word = SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-");
    private static readonly SearchValues<char> RoomCharacters = SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_");
    private static readonly SearchValues<char> PathCharacters = SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-+/");
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789*#ABCDabcdwW");

    /// <summary>True for a bare number or extension.</summary>
    public static bool IsNumber(string value) => value.Length is >= 1 and <= 80 && !value.AsSpan().ContainsAnyExcept(Number);

    /// <summary>True for a SIP URI (sip:, sips:).</summary>
    public static bool IsUri(string value) =>
        value.StartsWith("sip:", StringComparison.OrdinalIgnoreCase) || value.StartsWith("sips:", StringComparison.OrdinalIgnoreCase);

    /// <summary>True for a name of a dialplan context or application.</summary>
    public static bool IsWord(string value) => value.Length is >= 1 and <= 79 && !value.AsSpan().ContainsAnyExcept(Word);

    /// <summary>True for text that UTF-8 can carry: no half of a character (a lone surrogate), for which another would be sent.</summary>
    public static bool IsText(string value)
    {
        for (int i = value.AsSpan().IndexOfAnyInRange('\ud800', '\udfff'); i >= 0 && i < value.Length; i++)
        {
            if (!char.IsSurrogate(value[i])) continue;
            if (i + 1 == value.Length || !char.IsSurrogatePair(value[i], value[i + 1])) return false;
            i++;
        }

        return true;
    }

    /// <summary>True for a name of a variable.</summary>
    public static bool IsVariable(string name) =>
        name.Length is >= 1 and <= 80 && (char.IsAsciiLetter(name[0]) || name[0] == '_') && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    /// <summary>Who calls whom must be said once and whole. Returns true for a call of one leg.</summary>
    public static bool CheckParties(SipCallRequest request)
    {
        if (string.IsNullOrEmpty(request.To)) throw new SipArgumentException("To", request.To, "who is to be called must be said.");
        if (request is { Application: not null, Play: not null })
            throw new SipArgumentException("Play", request.Play, "goes instead of -Application, not with it.");
        if (request is { ApplicationData: not null, Application: null })
            throw new SipArgumentException("ApplicationData", request.ApplicationData, "goes with -Application only.");

        bool oneLeg = request.Application is not null || request.Play is not null;
        if (oneLeg && request.From is not null)
            throw new SipArgumentException("From", request.From, "a call of one leg (-Application, -Play) has only -To; what it is shown is -CallerId.");
        if (!oneLeg && string.IsNullOrEmpty(request.From))
            throw new SipArgumentException("From", request.From, "a call needs -From and -To, or -To with -Application or -Play.");
        return oneLeg;
    }

    /// <summary>How long a destination may take to answer: what was asked for, else the connection's time.</summary>
    public static TimeSpan RingTime(TimeSpan? asked, SipServerConfiguration configuration)
    {
        TimeSpan ring = asked ?? configuration.RingTimeout;
        return ring >= TimeSpan.FromMilliseconds(1) && ring <= TimeSpan.FromDays(1) ? ring : throw new SipArgumentException("Timeout", ring.ToString(), "from 1 ms to one day.");
    }

    /// <summary>Where a number is looked up: what was asked for, else the connection's context, else the server's usual one.</summary>
    public static string Context(string? asked, SipServerConfiguration configuration)
    {
        string context = asked ?? configuration.Context ?? DefaultContext;
        return IsWord(context) ? context : throw new SipArgumentException("Context", context, ContextRule);
    }

    /// <summary>Adds what is wrong with a connection's context.</summary>
    public static void CheckContext(string? context, List<SipConfigurationProblem> problems)
    {
        if (context is not null && !IsWord(context)) problems.Add(new SipConfigurationProblem("Context", context, ContextRule));
    }

    /// <summary>The cause must be one of Q.850: servers ignore others, or take them for something else.</summary>
    public static void CheckCause(HangupCause cause)
    {
        if ((int)cause is < 1 or > 127)
            throw new SipArgumentException("Cause", cause.ToString(), "a Q.850 cause (1 to 127), for instance NormalClearing or UserBusy.");
    }

    /// <summary>Takes "1001" or "Ann &lt;1001&gt;" apart; either part may be empty, not both.</summary>
    public static (string Name, string Number) CallerId(string value)
    {
        const string Rule = "a number such as 1001, or a name with a number: Ann <1001>; names without \" < > \\ and control characters.";
        string name = "";
        string number = value;
        int open = value.IndexOf('<', StringComparison.Ordinal);
        if (open >= 0)
        {
            if (!value.EndsWith('>')) throw new SipArgumentException("CallerId", value, Rule);
            number = value[(open + 1)..^1];
            name = value[..open].Trim();
            if (name.Length >= 2 && name[0] == '"' && name[^1] == '"') name = name[1..^1];
        }

        if ((number.Length > 0 && !IsNumber(number)) || (number.Length == 0 && name.Length == 0))
            throw new SipArgumentException("CallerId", value, Rule);
        if (name.Length > 80 || name.Any(c => char.IsControl(c) || c is '"' or '<' or '>' or '\\'))
            throw new SipArgumentException("CallerId", value, Rule);
        return (name, number);
    }

    /// <summary>A room's name: any that exists may be asked about, what we make is strict.</summary>
    public static void CheckRoom(string name, bool strict = true)
    {
        if (name.Length is 0 or > 32 || (strict && name.AsSpan().ContainsAnyExcept(RoomCharacters)))
            throw new SipArgumentException("Name", name, strict ? "the name of a room has 1 to 32 letters, digits and _ ." : "the name of a room has 1 to 32 characters.");
    }

    /// <summary>A file below the server's recording folder, with one of its formats as extension.</summary>
    public static void CheckPath(string path, IReadOnlyCollection<string> formats)
    {
        string format = Path.GetExtension(path).TrimStart('.');
        bool good = path.Length is > 0 and <= 200 && path[0] is not ('/' or '.' or '-') && !path.Contains("..", StringComparison.Ordinal) && !path.Contains("//", StringComparison.Ordinal)
            && !path.AsSpan().ContainsAnyExcept(PathCharacters) && Path.GetFileNameWithoutExtension(path).Length > 0 && formats.Contains(format, StringComparer.Ordinal);
        if (!good)
        {
            throw new SipArgumentException(
                "Path", path, "a file relative to the server's recording folder: letters, digits and . _ - +, folders with /, at most 200; no .. , no / at the beginning; with an extension that the server can write: " + string.Join(", ", formats) + ".");
        }
    }

    /// <summary>Digits, and how long they and the gaps between them last.</summary>
    public static void CheckTones(SipDtmfRequest request)
    {
        if (request.Digits.Length is 0 or > 100 || request.Digits.AsSpan().ContainsAnyExcept(Digits)) throw new SipArgumentException("Digits", request.Digits, "1 to 100 of 0 to 9, *, #, A to D, and w for half a second of silence.");
        CheckTone(nameof(request.Duration), request.Duration);
        CheckTone(nameof(request.Gap), request.Gap);
    }

    private static void CheckTone(string parameter, TimeSpan time)
    {
        if (time < TimeSpan.FromMilliseconds(40) || time > TimeSpan.FromSeconds(5)) throw new SipArgumentException(parameter, time.ToString(), "40 ms to 5 s.");
    }
}
