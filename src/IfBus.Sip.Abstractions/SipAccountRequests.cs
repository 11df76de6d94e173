namespace IfBus.Sip;

/// <summary>An account to make.</summary>
public sealed record SipAccountRequest
{
    /// <summary>User part of the address, or the whole address.</summary>
    public required string Username { get; init; }

    /// <summary>SIP domain; that of the space if left out. Only super administrators may name another.</summary>
    public string? Domain { get; init; }

    /// <summary>Its password; if left out one is made up that nobody knows: the phone gets it by provisioning.</summary>
    public string? Password { get; init; }

    /// <summary>Hash of the password to keep: SHA-256 or MD5; the space's own if left out.</summary>
    public string? Algorithm { get; init; }

    /// <summary>Can be used at once.</summary>
    public bool Activated { get; init; } = true;

    /// <summary>Locked out at once.</summary>
    public bool Blocked { get; init; }

    /// <summary>May administrate its space.</summary>
    public bool Admin { get; init; }

    /// <summary>Name to show.</summary>
    public string? DisplayName { get; init; }

    /// <summary>E-mail address.</summary>
    public string? Email { get; init; }

    /// <summary>Phone number with country code.</summary>
    public string? Phone { get; init; }

    /// <summary>sipinfo, rfc2833 or sipmessage.</summary>
    public string? DtmfProtocol { get; init; }

    /// <summary>Free entries.</summary>
    public IReadOnlyDictionary<string, string> Dictionary { get; init; } = new Dictionary<string, string>();

    // A record's own text would show the password.
    private bool PrintMembers(System.Text.StringBuilder text)
    {
        text.Append(Username);
        return true;
    }
}

/// <summary>What is to change of an account. What is null stays; <see cref="Clear"/> names what becomes empty.</summary>
public sealed record SipAccountUpdate
{
    /// <summary>New user name. Needs <see cref="Password"/>: the stored hash contains the name.</summary>
    public string? Username { get; init; }

    /// <summary>New password.</summary>
    public string? Password { get; init; }

    /// <summary>New display name.</summary>
    public string? DisplayName { get; init; }

    /// <summary>New e-mail address.</summary>
    public string? Email { get; init; }

    /// <summary>New phone number.</summary>
    public string? Phone { get; init; }

    /// <summary>sipinfo, rfc2833 or sipmessage.</summary>
    public string? DtmfProtocol { get; init; }

    /// <summary>All entries of the dictionary, instead of those that are there.</summary>
    public IReadOnlyDictionary<string, string>? Dictionary { get; init; }

    /// <summary>May administrate its space.</summary>
    public bool? Admin { get; init; }

    /// <summary>Properties to empty: DisplayName, Email, Phone, DtmfProtocol.</summary>
    public IReadOnlyList<string> Clear { get; init; } = [];

    /// <summary>Do nothing if the account was changed after this moment (UTC).</summary>
    public DateTime? UnmodifiedSince { get; init; }

    // A record's own text would show the password.
    private bool PrintMembers(System.Text.StringBuilder text)
    {
        text.Append(Username ?? "");
        return true;
    }
}

/// <summary>A push notification to a device.</summary>
public sealed record SipPushRequest
{
    /// <summary>Push service: apns, apns.dev, fcm.</summary>
    public required string Provider { get; init; }

    /// <summary>The pn-param of the device's contact (RFC 8599).</summary>
    public required string Param { get; init; }

    /// <summary>Its pn-prid: the device's token at the push service.</summary>
    public required string Prid { get; init; }

    /// <summary>background, message or call.</summary>
    public string Type { get; init; } = "background";

    /// <summary>Call-ID that the notification is about.</summary>
    public string? CallId { get; init; }

    // A record's own text would show the token.
    private bool PrintMembers(System.Text.StringBuilder text)
    {
        text.Append(Provider);
        return true;
    }
}

/// <summary>What a call is forwarded for.</summary>
public enum SipForwardingType
{
    /// <summary>Every call.</summary>
    Always,

    /// <summary>Calls that are not answered.</summary>
    NoAnswer,

    /// <summary>Calls while busy.</summary>
    Busy,
}

/// <summary>A call forwarding rule to make.</summary>
public sealed record SipCallForwardingRequest
{
    /// <summary>Which calls.</summary>
    public required SipForwardingType Type { get; init; }

    /// <summary>Where to: a SIP address, or null for <see cref="ToVoicemail"/>.</summary>
    public string? To { get; init; }

    /// <summary>To the voicemail.</summary>
    public bool ToVoicemail { get; init; }

    /// <summary>In force.</summary>
    public bool Enabled { get; init; } = true;
}
