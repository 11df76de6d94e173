namespace IfBus.Sip;

/// <summary>Root of everything the module throws. The leaves are what a caller can act on.</summary>
public abstract class SipException : Exception
{
    /// <summary>Makes the error.</summary>
    protected SipException(string errorId, string message, Exception? inner = null)
        : base(message, inner) => ErrorId = errorId;

    /// <summary>Stable PascalCase word for scripts, for instance <c>SipCallNotFound</c>.</summary>
    public string ErrorId { get; }

    /// <summary>Name of the server's connection, if the error belongs to one.</summary>
    public string? Server { get; set; }

    /// <summary>The call it belongs to, if any.</summary>
    public string? CallId { get; set; }

    /// <summary>
    /// True if it is certain that the server has carried out nothing of what was asked: nothing of it was sent, or the server
    /// refused it. Only then may it be asked of another server. False where it was, may have been, or is not known.
    /// </summary>
    public bool NothingDone { get; set; }

    /// <summary>What the user can do about it, in one sentence.</summary>
    public string? RecommendedAction { get; init; }
}

/// <summary>The server cannot be reached, or the connection broke. <see cref="OutcomeUnknown"/> tells whether a command may have arrived.</summary>
public sealed class SipConnectionException : SipException
{
    /// <summary>Makes the error.</summary>
    public SipConnectionException(string message, Exception? inner = null, string errorId = "SipConnectionFailed")
        : base(errorId, message, inner)
    {
    }

    /// <summary>True if a command had been sent and its answer never came: it may have been carried out, and is not sent again.</summary>
    public bool OutcomeUnknown { get; init; }
}

/// <summary>The server refused the login. Never retried by itself.</summary>
public sealed class SipAuthenticationException : SipException
{
    /// <summary>Makes the error.</summary>
    public SipAuthenticationException(string message, Exception? inner = null, string errorId = "SipAuthenticationFailed")
        : base(errorId, message, inner)
    {
    }
}

/// <summary>A deadline passed.</summary>
public sealed class SipTimeoutException : SipException
{
    /// <summary>Makes the error.</summary>
    public SipTimeoutException(string message, TimeSpan limit, Exception? inner = null, string errorId = "SipTimeout")
        : base(errorId, message, inner) => Limit = limit;

    /// <summary>The limit that passed.</summary>
    public TimeSpan Limit { get; }

    /// <summary>True if a command had been sent and its answer never came: it may have been carried out, and is not sent again.</summary>
    public bool OutcomeUnknown { get; init; }
}

/// <summary>The peer does not speak the protocol, or breaks its limits. Ends the connection.</summary>
public sealed class SipProtocolException : SipException
{
    /// <summary>Makes the error.</summary>
    public SipProtocolException(string message, Exception? inner = null, string errorId = "SipProtocolError")
        : base(errorId, message, inner)
    {
    }
}

/// <summary>The server understood and said no.</summary>
public sealed class SipRejectedException : SipException
{
    /// <summary>Makes the error.</summary>
    public SipRejectedException(string message, string serverText, int? serverCode = null, string errorId = "SipRejected")
        : base(errorId, message)
    {
        ServerText = serverText;
        ServerCode = serverCode;
    }

    /// <summary>The server's words.</summary>
    public string ServerText { get; }

    /// <summary>The server's code, where its protocol has one.</summary>
    public int? ServerCode { get; }

    /// <summary>What the server has against single fields, by its names of them; empty if it named none.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> FieldErrors { get; init; } = NoFields;

    private static readonly IReadOnlyDictionary<string, IReadOnlyList<string>> NoFields = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>True if this login lacks the right to do it.</summary>
    public bool IsPermission { get; init; }
}

/// <summary>This server, or this login, cannot do it.</summary>
public sealed class SipNotSupportedException : SipException
{
    /// <summary>Makes the error.</summary>
    public SipNotSupportedException(string message, SipCapabilities capability, string errorId = "SipNotSupported")
        : base(errorId, message)
    {
        Capability = capability;
        NothingDone = true;
    }

    /// <summary>What was asked for.</summary>
    public SipCapabilities Capability { get; }
}

/// <summary>The call is not in a state for what was asked; nothing was sent.</summary>
public sealed class SipCallStateException : SipException
{
    /// <summary>Makes the error.</summary>
    public SipCallStateException(string message, CallState state, string errorId)
        : base(errorId, message)
    {
        State = state;
        NothingDone = true;
    }

    /// <summary>The state of the call.</summary>
    public CallState State { get; }
}

/// <summary>A transfer did not come to talking.</summary>
public sealed class SipTransferException : SipException
{
    /// <summary>Makes the error.</summary>
    public SipTransferException(string message, string errorId = "SipTransferFailed")
        : base(errorId, message)
    {
    }

    /// <summary>The call as it stands after it; null if nothing was sent.</summary>
    public SipCall? Call { get; init; }
}

/// <summary>A value from the caller is refused; nothing was sent.</summary>
public sealed class SipArgumentException : SipException
{
    /// <summary>Makes the error.</summary>
    /// <param name="parameter">The cmdlet parameter, without the dash; null if no single one is to blame.</param>
    /// <param name="value">The refused value; control characters are shown as escapes in the message. Without a parameter what is refused, in words.</param>
    /// <param name="rule">What is allowed.</param>
    /// <param name="errorId">Stable word.</param>
    public SipArgumentException(string? parameter, string? value, string rule, string errorId = "SipInvalidArgument")
        : base(errorId, (parameter is null ? SipText.Printable(value) : $"-{parameter} '{SipText.Printable(value)}'") + $" is refused: {rule}")
    {
        Parameter = parameter;
        Value = value;
        Rule = rule;
        NothingDone = true;
    }

    /// <summary>The parameter, without the dash; null if no single one is to blame.</summary>
    public string? Parameter { get; }

    /// <summary>The refused value.</summary>
    public string? Value { get; }

    /// <summary>What is allowed.</summary>
    public string Rule { get; }
}

/// <summary>A call id that the server does not know, or that has ended.</summary>
public sealed class SipCallNotFoundException : SipException
{
    /// <summary>Makes the error.</summary>
    public SipCallNotFoundException(string message, string errorId = "SipCallNotFound")
        : base(errorId, message)
    {
    }
}

/// <summary>A configuration that cannot work; every problem is listed.</summary>
public sealed class SipConfigurationException : SipException
{
    /// <summary>Makes the error.</summary>
    public SipConfigurationException(IReadOnlyList<SipConfigurationProblem> problems)
        : base("SipConfigurationInvalid", "The configuration cannot be used: " + string.Join(" ", problems.Select(p => p.ToString())))
        => Problems = problems;

    /// <summary>Every problem found.</summary>
    public IReadOnlyList<SipConfigurationProblem> Problems { get; }
}

/// <summary>Text helpers for messages.</summary>
public static partial class SipText
{
    /// <summary>Shows control characters as escapes and cuts long values, so that a refused value cannot disturb the terminal that shows it.</summary>
    public static string Printable(string? value)
    {
        if (value is null) return "";
        const int Longest = 120;
        var text = new System.Text.StringBuilder(Math.Min(value.Length, Longest) + 8);
        foreach (char c in value)
        {
            if (text.Length >= Longest)
            {
                text.Append("...");
                break;
            }

            switch (c)
            {
                case '\r': text.Append("\\r"); break;
                case '\n': text.Append("\\n"); break;
                case '\t': text.Append("\\t"); break;
                case '\0': text.Append("\\0"); break;
                default:
                    if (char.IsControl(c)) text.Append("\\u").Append(((int)c).ToString("x4", System.Globalization.CultureInfo.InvariantCulture));
                    else text.Append(c);
                    break;
            }
        }

        return text.ToString();
    }
}
