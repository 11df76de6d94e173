using System.Globalization;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>Compares descriptions of servers.</summary>
internal static class ServerSettings
{
    /// <summary>What differs, each in words fit for a message; empty if both make the same connection. Both are complete, see <see cref="ISipAdapterFactory.Complete"/>.</summary>
    /// <param name="have">The one that is connected.</param>
    /// <param name="want">The one that is asked for.</param>
    public static List<string> Differences(SipServerConfiguration have, SipServerConfiguration want)
    {
        var found = new List<string>();
        Compare(nameof(want.Type), have.Type, want.Type);
        if (!string.Equals(have.Host, want.Host, StringComparison.OrdinalIgnoreCase)) Compare(nameof(want.Host), have.Host, want.Host);
        Compare(nameof(want.Port), have.Port, want.Port);
        Compare("user", have.Credential?.UserName, want.Credential?.UserName);
        if (have.Credential?.Password != want.Credential?.Password) found.Add("the secret");
        Compare(nameof(want.UseTls), have.UseTls, want.UseTls);
        Compare(nameof(want.SkipCertificateCheck), have.SkipCertificateCheck, want.SkipCertificateCheck);
        Compare(nameof(want.CertificateAuthority), have.CertificateAuthority, want.CertificateAuthority);
        if (have.ApiKey != want.ApiKey) found.Add("the API key");
        Compare(nameof(want.Space), have.Space, want.Space);
        Compare(nameof(want.Path), have.Path, want.Path);
        Compare(nameof(want.EventAddress), have.EventAddress, want.EventAddress);
        Compare(nameof(want.PollInterval), have.PollInterval, want.PollInterval);
        Compare(nameof(want.EndpointTemplate), have.EndpointTemplate, want.EndpointTemplate);
        Compare(nameof(want.Context), have.Context, want.Context);
        Compare(nameof(want.ConnectTimeout), have.ConnectTimeout, want.ConnectTimeout);
        Compare(nameof(want.RequestTimeout), have.RequestTimeout, want.RequestTimeout);
        Compare(nameof(want.RingTimeout), have.RingTimeout, want.RingTimeout);
        Compare(nameof(want.KeepAlive), have.KeepAlive, want.KeepAlive);
        Compare("ReconnectAttempts", have.Reconnect.MaxAttempts, want.Reconnect.MaxAttempts);
        Compare("ReconnectDelay", have.Reconnect.BaseDelay, want.Reconnect.BaseDelay);
        Compare("ReconnectMaxDelay", have.Reconnect.MaxDelay, want.Reconnect.MaxDelay);
        Compare("ReconnectFactor", have.Reconnect.Factor, want.Reconnect.Factor);
        Compare(nameof(want.MaxCalls), have.MaxCalls, want.MaxCalls);
        Compare(nameof(want.MaxCallsPerSecond), have.MaxCallsPerSecond, want.MaxCallsPerSecond);
        Compare(nameof(want.CircuitCoolDown), have.CircuitCoolDown, want.CircuitCoolDown);
        Compare(nameof(want.EventBuffer), have.EventBuffer, want.EventBuffer);
        Compare(nameof(want.HistorySize), have.HistorySize, want.HistorySize);
        return found;

        void Compare<T>(string setting, T one, T other)
        {
            if (!EqualityComparer<T>.Default.Equals(one, other)) found.Add($"{setting} {Text(one)} (asked for: {Text(other)})");
        }
    }

    private static string Text(object? value) => value is null ? "not set" : $"'{SipText.Printable(Convert.ToString(value, CultureInfo.InvariantCulture))}'";
}
