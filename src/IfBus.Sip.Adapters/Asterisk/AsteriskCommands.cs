using System.Buffers;
using System.Globalization;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>Our verbs as AMI actions. Every value from a caller is checked here, with its parameter's name, before anything is sent.</summary>
internal static class AsteriskCommands
{
    /// <summary>How a bare number is dialled unless the connection says otherwise.</summary>
    public const string DefaultTemplate = "PJSIP/{0}";

    /// <summary>Channel variable that carries the call's if:// name; the underscores hand it on to legs that are dialled.</summary>
    public const string CallVariable = "__IFBUS_CALL";

    private static readonly SearchValues<char> NotInVariables = SearchValues.Create(",\"\\");
    private static readonly SearchValues<char> NotInSounds = SearchValues.Create("&,|\"\\<>{}$");

    // What would pull the connection from under us, or stop its events: strictly serial means that nothing moves until it is done.
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "Login", "Logoff", "Challenge", "Events", "Filter", "WaitEvent",
    };

    /// <summary>
    /// Originate, always Async and with our ChannelId: the only key that is in every outcome. Ids have one length, since
    /// Asterisk 22 takes an id that is the beginning of a live one for that one.
    /// </summary>
    /// <param name="request">What the caller asked for.</param>
    /// <param name="channelId">A UUID of ours.</param>
    /// <param name="configuration">Template, context and ring time of the connection.</param>
    /// <param name="hasDestination">True if an answer of the first leg is not the answer of the call.</param>
    public static AmiAction Originate(SipCallRequest request, string channelId, SipServerConfiguration configuration, out bool hasDestination)
    {
        string template = configuration.EndpointTemplate ?? DefaultTemplate;
        TimeSpan ring = CallRules.RingTime(request.Timeout, configuration);
        bool oneLeg = CallRules.CheckParties(request);
        hasDestination = !oneLeg;

        string timeout = ((long)ring.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        var action = new AmiAction("Originate");
        action.Add("Channel", AsteriskNumbers.Channel(oneLeg ? request.To! : request.From!, template, oneLeg ? "To" : "From"), oneLeg ? "To" : "From");
        if (oneLeg) AddApplication(action, request);
        else AddDestination(action, request, configuration, template, ring);
        action.Add("Timeout", timeout);
        if (request.CallerId is { } callerId)
        {
            // Anything but "name" <number> or a number the server would take for a name.
            (string name, string number) = CallRules.CallerId(callerId);
            action.Add("CallerID", name.Length == 0 ? number : $"\"{name}\" <{number}>", "CallerId");
        }

        action.Add("Variable", $"{CallVariable}=if://call/{channelId}");
        foreach ((string variable, string value) in request.Variables) AddVariable(action, variable, value);
        action.Add("ChannelId", channelId);
        action.Add("Async", "true");
        return action;
    }

    /// <summary>
    /// Hang-up of one leg. Without a cause Asterisk says 0, so there always is one. What begins with a slash this action, and
    /// no other, reads as a pattern of names: a leg with such an id, which another client chose, goes by its name.
    /// </summary>
    public static AmiAction Hangup(AsteriskLeg leg, HangupCause cause) =>
        new AmiAction("Hangup").Add("Channel", leg.Id.StartsWith('/') ? leg.Name ?? "" : leg.Id).Add("Cause", ((int)cause).ToString(CultureInfo.InvariantCulture));

    /// <summary>A raw action, with names and values checked, and those refused that would take the connection from under us.</summary>
    public static AmiAction Raw(SipCommandRequest request)
    {
        if (!CallRules.IsWord(request.Name)) throw new SipArgumentException("Name", request.Name, "the name of an AMI action: letters and digits.");
        if (Reserved.Contains(request.Name))
            throw new SipArgumentException("Name", request.Name, "this action belongs to the connection itself; it would blind, block or end it.");

        var action = new AmiAction(request.Name);
        bool isAsync = false;
        foreach ((string name, string value) in request.Fields)
        {
            if (!CallRules.IsWord(name)) throw new SipArgumentException("Field", name, "a header name has letters, digits and - only.");
            if (name.Equals("Action", StringComparison.OrdinalIgnoreCase) || name.Equals("ActionID", StringComparison.OrdinalIgnoreCase))
                throw new SipArgumentException("Field", name, "this header is ours.");
            isAsync |= name.Equals("Async", StringComparison.OrdinalIgnoreCase) && value.Equals("true", StringComparison.OrdinalIgnoreCase);
            action.Add(name, value, "Field");
        }

        if (request.Name.Equals("Originate", StringComparison.OrdinalIgnoreCase) && !isAsync)
            throw new SipArgumentException("Field", "Async", "an Originate without Async: true stops all replies and events until the call is answered.");
        return action;
    }

    private static void AddDestination(AmiAction action, SipCallRequest request, SipServerConfiguration configuration, string template, TimeSpan ring)
    {
        string to = request.To!;
        if (CallRules.IsNumber(to))
        {
            action.Add("Context", CallRules.Context(request.Context, configuration), "Context").Add("Exten", to, "To").Add("Priority", "1");
            return;
        }

        // An endpoint of its own has no extension: the first leg dials it.
        string channel = AsteriskNumbers.Channel(to, template, "To");
        string seconds = ((long)Math.Ceiling(ring.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        action.Add("Application", "Dial").Add("Data", $"{channel},{seconds}", "To");
    }

    private static void AddApplication(AmiAction action, SipCallRequest request)
    {
        if (request.Play is { } sound)
        {
            if (sound.Length == 0 || sound.Contains("..", StringComparison.Ordinal) || sound.AsSpan().IndexOfAny(NotInSounds) >= 0 || sound.Any(char.IsControl))
                throw new SipArgumentException("Play", sound, "one sound file of the server, without extension, without .. and & , | \" \\ < > { } $");
            action.Add("Application", "Playback").Add("Data", sound, "Play");
            return;
        }

        if (!CallRules.IsWord(request.Application!))
            throw new SipArgumentException("Application", request.Application, "the name of a dialplan application has letters, digits and _ only.");
        action.Add("Application", request.Application!, "Application");
        if (request.ApplicationData is { } data) action.Add("Data", data, "ApplicationData");
    }

    private static void AddVariable(AmiAction action, string name, string value)
    {
        string plain = name.TrimStart('_');
        if (name.Length - plain.Length > 2 || !CallRules.IsVariable(plain)) throw new SipArgumentException("Variable", name, CallRules.VariableRule + "; one or two _ before it have it inherited.");
        // A comma ends the value and begins another variable, quotes and backslashes vanish (wire/asterisk, section 5).
        if (value.AsSpan().IndexOfAny(NotInVariables) >= 0)
            throw new SipArgumentException("Variable", $"{name}={value}", "Asterisk cannot take a comma, a double quote or a backslash in a variable of a new call; set it on the living channel: Invoke-SipCommand Setvar.");
        action.Add("Variable", $"{name}={value}", "Variable");
    }
}
