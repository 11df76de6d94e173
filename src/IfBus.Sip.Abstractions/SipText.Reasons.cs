using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace IfBus.Sip;

/// <content>What the platform's exceptions mean, for people who do not know the platform.</content>
public static partial class SipText
{
    private const string NoWords = "a fault of the module or of .NET that has no better name";

    /// <summary>Why something failed, in words without names of types, of resources or of "inner exceptions"; no full stop at the end.</summary>
    public static string Reason(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return (exception switch
        {
            SipException e => e.Message,
            AggregateException { InnerException: { } inner } => Reason(inner),
            SocketException e => Reason(e),
            ObjectDisposedException => "it was closed meanwhile",
            OperationCanceledException => "it was given up before it was done",
            AuthenticationException e => "the TLS handshake failed" + (Innermost(e) is var inner && inner != e && IsReadable(inner.Message) ? $": {inner.Message}" : ""),
            JsonException e => e.LineNumber is { } line ? $"it is no valid JSON (line {line + 1}, byte {e.BytePositionInLine + 1})" : "it is no valid JSON",
            FileNotFoundException e => string.IsNullOrEmpty(e.FileName) ? "the file is not there" : $"there is no file '{Printable(e.FileName)}'",
            DirectoryNotFoundException => "the folder is not there",
            IOException { InnerException: SocketException inner } => Reason(inner),
            { InnerException: { } inner } when !IsReadable(exception.Message) => Reason(inner),
            _ => IsReadable(exception.Message) ? exception.Message : NoWords,
        }).TrimEnd('.');
    }

    /// <summary>True if a message can be shown: it names no type, resource or stack of the platform.</summary>
    public static bool IsReadable(string message) => !string.IsNullOrWhiteSpace(message) && !Platform().IsMatch(message);

    private static string Reason(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "nobody listens there (connection refused)",
        SocketError.HostNotFound or SocketError.NoData => "the host name is not known",
        // What a resolver says that has no name server to ask, too.
        SocketError.TryAgain => "the host name is not known, or no name server answers",
        SocketError.TimedOut => "no answer (timed out)",
        SocketError.NetworkUnreachable or SocketError.HostUnreachable => "the host cannot be reached",
        SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown => "the other side cut it (connection reset)",
        SocketError.AddressAlreadyInUse => "the port is in use already",
        SocketError.AddressNotAvailable => "this machine has no such address",
        SocketError.AccessDenied => "this user may not use that address or port",
        _ => IsReadable(e.Message) ? e.Message : $"the network failed (code {e.NativeErrorCode})",
    };

    private static Exception Innermost(Exception e) => e.GetBaseException();

    // Type names, resource keys (net_http_failed, Arg_NullReference), stacks, and hints at what is not shown.
    [GeneratedRegex(@"\b(System|Microsoft|Interop|IfBus\.Sip)\.[A-Z]|\b[A-Za-z]+Exception\b|\b[a-z]+(_[a-z0-9]+){2,}\b|^[A-Z][A-Za-z]+_\w+(,|$)|inner exception|Object reference not set|^\s+at |SSPI|SslStream", RegexOptions.Multiline)]
    private static partial Regex Platform();
}
