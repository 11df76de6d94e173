using System.Globalization;
using System.Text;

namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>Our verbs as commands of the server. Every value from a caller is checked or encoded here, with its parameter's name, before anything is sent.</summary>
internal static class FreeSwitchCommands
{
    /// <summary>Channel variable that carries the call's if:// name to every leg of the originate.</summary>
    public const string CallVariable = "ifbus_call";

    // Carries free text to an application: a variable takes what its argument cannot (wire/freeswitch, originate).
    private const string DataVariable = "ifbus_data";

    /// <summary>What <see cref="CallRules.IsText"/> asks for.</summary>
    public const string TextRule = "it has no half of a character (a lone surrogate).";

    // They run a shell on the server. Who means it has Invoke-SipCommand.
    private static readonly HashSet<string> Shells = new(StringComparer.OrdinalIgnoreCase) { "system", "bgsystem", "bg_system", "spawn", "bg_spawn", "spawn_stream" };

    // What the call itself is made of, and what would take it from our sight.
    private static readonly HashSet<string> OwnVariables = new(StringComparer.OrdinalIgnoreCase)
    {
        "origination_uuid", "ignore_early_media", "originate_timeout", "origination_caller_id_name", "origination_caller_id_number", CallVariable, DataVariable,
    };

    // What would pull the connection from under us, or stop its events.
    private static readonly HashSet<string> ReservedCommands = new(StringComparer.OrdinalIgnoreCase)
    {
        "auth", "userauth", "event", "events", "noevents", "nixevent", "filter", "myevents", "divert_events", "log", "nolog", "exit", "linger", "nolinger", "connect", "resume", "sendmsg", "sendevent", "getvar",
    };

    /// <summary>
    /// True if a leg's id is one word of a command. A profile with inbound-use-callid-as-uuid takes the Call-ID of who calls
    /// for it, and whoever makes a channel may name it (origination_uuid).
    /// </summary>
    public static bool IsWord(string id) => id.Length > 0 && !id.AsSpan().ContainsAnyExceptInRange('!', '~') && id.AsSpan().IndexOfAny('\'', '"', '\\') < 0;

    /// <summary>
    /// originate with our uuid; +OK then means that the leg has answered, not only that its media began.
    /// </summary>
    /// <param name="request">What the caller asked for.</param>
    /// <param name="uuid">A UUID of ours, for the first leg.</param>
    /// <param name="configuration">Template, context and ring time of the connection.</param>
    /// <param name="applications">The applications that the server has; null if it was not asked.</param>
    /// <param name="hasDestination">True if an answer of the first leg is not the answer of the call.</param>
    /// <param name="legs">The uuids of the legs that it may make: ours first, then one for each further endpoint.</param>
    public static string Originate(SipCallRequest request, string uuid, SipServerConfiguration configuration, IReadOnlySet<string>? applications, out bool hasDestination, out IReadOnlyList<string> legs)
    {
        string template = configuration.EndpointTemplate ?? FreeSwitchNumbers.DefaultTemplate;
        bool oneLeg = CallRules.CheckParties(request);
        hasDestination = !oneLeg;
        string seconds = Seconds(CallRules.RingTime(request.Timeout, configuration));
        var text = new StringBuilder("originate {ignore_early_media=true,originate_timeout=", 512).Append(seconds)
            .Append(',').Append(CallVariable).Append("=if://call/").Append(uuid);
        if (request.CallerId is { } callerId) AddCallerId(text, callerId);
        foreach ((string name, string value) in request.Variables) Add(text, CheckVariable(name), value, "Variable", $"{name}={value}");

        string dial = oneLeg
            ? DialString(request.To!, request.ToAlternatives, template, "To")
            : DialString(request.From!, request.FromAlternatives, template, "From");
        string destination = oneLeg ? Application(request, text, applications) : Destination(request, configuration, template, seconds);
        return text.Append('}').Append(WithIds(dial, uuid, out legs)).Append(' ').Append(destination).ToString();
    }

    /// <summary>
    /// Gives each endpoint of a dial string a uuid of its own: one for all would let a SIP leg fail that follows another
    /// (seen with FreeSWITCH 1.10.12; the second attempt ends with DESTINATION_OUT_OF_ORDER).
    /// </summary>
    public static string WithIds(string dial, string first, out IReadOnlyList<string> ids)
    {
        var used = new List<string>(1);
        var text = new StringBuilder(dial.Length + 64);
        int from = 0;
        while (true)
        {
            string id = used.Count == 0 ? first : Guid.NewGuid().ToString();
            used.Add(id);
            int separator = dial.AsSpan(from).IndexOfAny('|', ',');
            ReadOnlySpan<char> endpoint = separator < 0 ? dial.AsSpan(from) : dial.AsSpan(from, separator);
            text.Append("[origination_uuid=").Append(id).Append(']').Append(endpoint);
            if (separator < 0) break;
            text.Append(dial[from + separator]);
            from += separator + 1;
        }

        ids = used;
        return text.ToString();
    }

    /// <summary>The dial string of one party: one endpoint, or several that are tried one after the other.</summary>
    public static string DialString(string first, IReadOnlyList<string> alternatives, string template, string parameter)
    {
        string dial = FreeSwitchNumbers.DialString(first, template, parameter);
        return alternatives.Count == 0 ? dial : dial + "|" + string.Join('|', alternatives.Select(a => FreeSwitchNumbers.DialString(a, template, parameter)));
    }

    /// <summary>
    /// The ring time for the server, which counts whole seconds of its clock and so ends up to one early: never less than
    /// was asked for, up to two seconds more.
    /// </summary>
    public static string Seconds(TimeSpan ring) => ((long)Math.Ceiling(ring.TotalSeconds) + 1).ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// Encodes a value between the braces of an originate, whose text the server takes apart four times; shown to come
    /// back byte for byte (originate-quoting recording).
    /// </summary>
    /// <exception cref="SipArgumentException">It cannot be carried.</exception>
    public static string Encode(string value, string parameter, string shown)
    {
        int depth = 0;
        bool balanced = true;
        foreach (char c in value)
        {
            if (c is '\r' or '\n' or '\0') throw Cannot();
            depth += c == '{' ? 1 : c == '}' ? -1 : 0;
            balanced &= depth >= 0;
        }

        if (depth != 0 || !balanced || value.Contains("${", StringComparison.Ordinal) || value.Contains("$${", StringComparison.Ordinal) || value != value.Trim(' ') || !CallRules.IsText(value)) throw Cannot();
        string text = value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal);
        text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal);
        text = text.Replace(":_:", ":''_:", StringComparison.Ordinal);
        text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal);
        return text.Replace(" ", "\\s", StringComparison.Ordinal);

        SipArgumentException Cannot() => new(parameter, shown, "FreeSWITCH cannot take this in a new call: no line breaks, no ${, no { or } without its partner, no blank at either end, no half of a character.");
    }

    /// <summary>A value of uuid_setvar: the rest of the line, in which \n and the like are resolved, and pairs of quotes and blanks at the ends are lost (seen with FreeSWITCH 1.10.12).</summary>
    public static string EncodeVariable(string value)
    {
        if (value.AsSpan().IndexOfAny('\r', '\n', '\0') >= 0 || value != value.Trim(' ')) throw new SipArgumentException("Value", value, "FreeSWITCH cannot take line breaks, nor a blank at either end.");
        if (!CallRules.IsText(value)) throw new SipArgumentException("Value", value, TextRule);
        return value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal);
    }

    /// <summary>A raw command, with those refused that would take the connection from under us, or its events.</summary>
    /// <param name="request">An api command by its name, its arguments in the order of the fields.</param>
    public static string Raw(SipCommandRequest request)
    {
        if (!CallRules.IsWord(request.Name)) throw new SipArgumentException("Name", request.Name, "the name of an api command: letters, digits and . _ -");
        if (ReservedCommands.Contains(request.Name)) throw new SipArgumentException("Name", request.Name, "this command belongs to the connection itself; it would blind, block or end it. Api commands can be sent.");
        var text = new StringBuilder(request.Name);
        foreach ((_, string value) in request.Fields)
        {
            if (value.AsSpan().IndexOfAny('\r', '\n', '\0') >= 0) throw new SipArgumentException("Field", value, "an argument has no line breaks and no NUL.");
            if (!CallRules.IsText(value)) throw new SipArgumentException("Field", value, TextRule);
            text.Append(' ').Append(value);
        }

        return text.ToString();
    }

    private static void AddCallerId(StringBuilder text, string callerId)
    {
        (string name, string number) = CallRules.CallerId(callerId);
        // The second pair is for a leg that the first one's dialplan calls.
        foreach (string prefix in (string[])["origination", "effective"])
        {
            if (number.Length > 0) text.Append(',').Append(prefix).Append("_caller_id_number=").Append(number);
            if (name.Length > 0) Add(text, prefix + "_caller_id_name", name, "CallerId", callerId);
        }
    }

    private static void Add(StringBuilder text, string name, string value, string parameter, string shown) =>
        text.Append(',').Append(name).Append('=').Append(Encode(value, parameter, shown));

    private static string CheckVariable(string name)
    {
        if (!CallRules.IsVariable(name)) throw new SipArgumentException("Variable", name, "a variable's name has letters, digits and _, and does not begin with a digit.");
        if (OwnVariables.Contains(name)) throw new SipArgumentException("Variable", name, "this variable is set by the call itself (-CallerId, -Timeout).");
        FreeSwitchVariables.Check(name, "Variable");
        return name;
    }

    private static string Destination(SipCallRequest request, SipServerConfiguration configuration, string template, string seconds)
    {
        string to = request.To!;
        if (request.ToAlternatives.Count == 0 && FreeSwitchNumbers.IsExtension(to)) return $"{to} XML {FreeSwitchNumbers.Context(request.Context, configuration)}";

        // An endpoint of its own has no extension: the first leg calls it.
        if (!to.Contains('/', StringComparison.Ordinal) && request.ToAlternatives.Count == 0)
            throw new SipArgumentException("To", to, CallRules.NumberRule + "; " + FreeSwitchNumbers.EndpointRule + ".", "SipInvalidNumber");
        string dial = DialString(to, request.ToAlternatives, template, "To");
        return $"&bridge({{ignore_early_media=true,originate_timeout={seconds}}}{dial})";
    }

    private static string Application(SipCallRequest request, StringBuilder variables, IReadOnlySet<string>? applications)
    {
        if (request.Play is { } sound)
        {
            if (sound.Length == 0) throw new SipArgumentException("Play", sound, "a sound file of the server, or a stream such as tone_stream://%(1000,0,440).");
            // File formats that run a program: shell_stream, the vlc and ffmpeg modules' URLs are the server's to allow.
            if (sound.Contains("shell_stream", StringComparison.OrdinalIgnoreCase) || sound.StartsWith("say:", StringComparison.OrdinalIgnoreCase) is false && sound.Contains("..", StringComparison.Ordinal))
                throw new SipArgumentException("Play", sound, "one sound file of the server without .. , or a stream; no shell_stream.");
            Add(variables, DataVariable, sound, "Play", sound);
            return $"&playback(${{{DataVariable}}})";
        }

        string name = request.Application!;
        if (!CallRules.IsWord(name)) throw new SipArgumentException("Application", name, "the name of a dialplan application has letters, digits and _ only.");
        if (Shells.Contains(name)) throw new SipArgumentException("Application", name, "it runs a shell command on the server; not by this cmdlet.");
        if (applications is not null && !applications.Contains(name)) throw new SipArgumentException("Application", name, "the server has no such application, and would hang the call up when it answers (Invoke-SipCommand show application lists them).");
        if (request.ApplicationData is not { Length: > 0 } data) return $"&{name}()";
        Add(variables, DataVariable, data, "ApplicationData", data);
        return $"&{name}(${{{DataVariable}}})";
    }
}
