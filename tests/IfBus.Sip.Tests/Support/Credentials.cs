using System.Management.Automation;
using System.Security;

namespace IfBus.Sip.Tests.Support;

/// <summary>Credentials as the cmdlets take them.</summary>
internal static class Credentials
{
    public static PSCredential Of(string user, string secret)
    {
        var secure = new SecureString();
        foreach (char c in secret) secure.AppendChar(c);
        return new PSCredential(user, secure);
    }
}
