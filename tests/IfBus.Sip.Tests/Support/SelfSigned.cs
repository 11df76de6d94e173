using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace IfBus.Sip.Tests.Support;

/// <summary>Certificates that nobody has issued, so nobody trusts them.</summary>
internal static class SelfSigned
{
    public static X509Certificate2 Certificate(string name)
    {
        using RSA key = RSA.Create(2048);
        using X509Certificate2 made = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        // Loaded anew: TLS on Windows cannot use a key that is in memory only.
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
    }
}
