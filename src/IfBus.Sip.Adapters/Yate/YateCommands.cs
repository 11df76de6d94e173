using System.Globalization;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>
/// How a call is made. It begins with a silent leg (dumb/) that calls the first party; when that has answered, it is sent
/// on to the destination, and the silent leg goes (wire/yate, click-to-dial; Yate 6.4.1).
/// </summary>
/// <param name="Message">call.execute for the first party.</param>
/// <param name="FirstNumber">The first party, if the engine looks it up.</param>
/// <param name="FirstCaller">What it is shown.</param>
/// <param name="Next">Where it goes when it has answered: driver/address; null if it stays, or if NextNumber is to be looked up.</param>
/// <param name="NextNumber">The destination, if the engine is to look it up.</param>
/// <param name="NextCaller">What the destination is shown.</param>
/// <param name="NextParameters">Parameters of the way there.</param>
/// <param name="Context">Where numbers are looked up; null for the engine's usual way.</param>
internal sealed record YatePlan(
    ExtModuleMessage Message, string? FirstNumber, string? FirstCaller, string? Next, string? NextNumber, string? NextCaller, IReadOnlyList<KeyValuePair<string, string>> NextParameters, string? Context)
{
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "callto", "target", "direct", "caller", "callername", "called", "maxcall", "timeout", "copyparams", "id", "driver", "module", "message", "handlers", "peerid", "targetid", "billid", "context", "cdrtrack", "cdrwrite", "error", "reason", "username", "password", YateMapper.CallParameter,
    };

    /// <summary>Checks a request and writes the plan. Nothing has been sent.</summary>
    /// <exception cref="SipArgumentException">A value is refused.</exception>
    public static YatePlan For(SipCallRequest request, string callId, SipServerConfiguration configuration)
    {
        bool oneLeg = CallRules.CheckParties(request);
        string first = oneLeg ? request.To! : request.From!;
        string firstParameter = oneLeg ? "To" : "From";
        string? firstDirect = YateNumbers.Direct(first, configuration.EndpointTemplate, firstParameter);
        string? context = request.Context ?? configuration.Context;
        if (context is not null) context = CallRules.Context(context, configuration);
        string ring = ((long)CallRules.RingTime(request.Timeout, configuration).TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        (string name, string number) = request.CallerId is { } shown ? CallRules.CallerId(shown) : ("", "");

        // Who is rung first sees who it is about, unless somebody said what to show.
        string? firstCaller = number.Length > 0 ? number : oneLeg || !CallRules.IsNumber(request.To!) ? null : request.To;
        var message = new ExtModuleMessage("call.execute")
        {
            { "callto", "dumb/" },
            { "direct", firstDirect },
            { "target", firstDirect is null ? first : NameOf(firstDirect) },
            { "caller", firstCaller },
            { "callername", name.Length > 0 ? name : null },
            { "maxcall", ring },
            { "context", context },
            { YateMapper.CallParameter, callId },
        };
        var copied = new List<string> { YateMapper.CallParameter };
        if (context is not null) copied.Add("context");
        foreach ((string key, string value) in request.Variables)
        {
            CheckVariable(key);
            message.Add(key, value);
            copied.Add(key);
        }

        message.Add("copyparams", string.Join(',', copied));

        string? next = null, nextNumber = null;
        string? nextCaller = number.Length > 0 ? number : CallRules.IsNumber(first) ? first : null;
        if (request.Application is { } application) next = YateNumbers.Application(application, request.ApplicationData);
        else if (request.Play is { } file) next = Play(file);
        else if (YateNumbers.Direct(request.To!, configuration.EndpointTemplate, "To") is { } direct) next = direct;
        else nextNumber = request.To;
        // The silent leg is a silent far end already.
        if (next == "dumb/") next = null;
        var parameters = new List<KeyValuePair<string, string>> { new("maxcall", ring) };
        if (nextCaller is not null) parameters.Add(new("caller", nextCaller));
        if (name.Length > 0) parameters.Add(new("callername", name));
        if (!oneLeg && CallRules.IsNumber(request.To!)) parameters.Add(new("called", request.To!));
        return new YatePlan(message, firstDirect is null ? first : null, firstCaller, next, nextNumber, nextCaller, parameters, context);
    }

    // The engine wants a called number even where it looks nothing up.
    private static string NameOf(string endpoint)
    {
        string address = endpoint[(endpoint.IndexOf('/', StringComparison.Ordinal) + 1)..];
        int scheme = address.IndexOf(':', StringComparison.Ordinal);
        if (scheme >= 0 && CallRules.IsUri(address)) address = address[(scheme + 1)..];
        int at = address.IndexOf('@', StringComparison.Ordinal);
        string user = at > 0 ? address[..at] : address;
        return CallRules.IsNumber(user) ? user : "ifbus";
    }

    private static string Play(string file)
    {
        if (file.Length is 0 or > 200 || file[0] is '/' or '.' or '-' || file.Contains("..", StringComparison.Ordinal) || file.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-' or '+' or '/')))
            throw new SipArgumentException("Play", file, "a sound file of the server, relative to its working directory: letters, digits and . _ - + and / for folders, at most 200; raw 16 bit 8 kHz (.slin, .wav without header), .au, .gsm, .alaw or .mulaw.");
        return "wave/play/" + file;
    }

    private static void CheckVariable(string name)
    {
        if (!CallRules.IsVariable(name)) throw new SipArgumentException("Variable", name, CallRules.VariableRule + ".");
        // osip_ and osdp_ become headers of the INVITE and lines of its SDP.
        if (Reserved.Contains(name) || name.StartsWith("osip_", StringComparison.OrdinalIgnoreCase) || name.StartsWith("osdp_", StringComparison.OrdinalIgnoreCase) || name.StartsWith("oconnection", StringComparison.OrdinalIgnoreCase))
            throw new SipArgumentException("Variable", name, "a parameter for the server's routing; this name is the server's own, or would become a part of the SIP request.");
    }
}

/// <summary>Raw messages of a user.</summary>
internal static class YateCommands
{
    /// <summary>Checks a raw message: one name, names of parameters, no command that drops everybody's calls.</summary>
    /// <exception cref="SipArgumentException">A name is refused.</exception>
    public static ExtModuleMessage Raw(SipCommandRequest request)
    {
        if (request.Name.Length is 0 or > 80 || request.Name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-'))) throw new SipArgumentException("Name", request.Name, "the name of a message, for instance engine.status: 1 to 80 letters, digits and . _ - .");
        if (request.Name == "call.drop" && !request.Fields.Any(f => f.Key == "id" && f.Value.Contains('/', StringComparison.Ordinal)))
            throw new SipArgumentException("Name", request.Name, "call.drop needs id=driver/number: without one it ends every call of the server.");
        var message = new ExtModuleMessage(request.Name);
        foreach ((string key, string value) in request.Fields)
        {
            if (key.Length is 0 or > 200 || key.Any(c => c is '=' or ':' or '%' || char.IsControl(c))) throw new SipArgumentException("Field", key, "the name of a parameter: 1 to 200 characters without = : % and control characters.");
            message.Add(key, value);
        }

        return message;
    }
}
