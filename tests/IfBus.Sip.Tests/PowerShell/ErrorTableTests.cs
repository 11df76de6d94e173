using System.Management.Automation;
using System.Net.Sockets;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.PowerShell;

/// <summary>Every error that there is, as a user reads it: what happened, to what, and what to do. The table is in <see cref="ErrorTable"/>.</summary>
public sealed partial class ErrorTableTests
{
    private static readonly string[] Sources = [.. Directory
        .GetFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
        .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal) && !f.Contains("IfBus.Sip.Simulators", StringComparison.Ordinal))];

    public static TheoryData<string> Provoked => [.. ErrorTable.Rows.Where(r => r.Fail is not null).Select(r => r.Id)];

    public static TheoryData<string> Read => [.. ErrorTable.Rows.Where(r => r.Source is not null).Select(r => r.Id)];

    [Fact]
    public void Every_id_of_the_source_is_in_the_table_and_has_something_to_do()
    {
        // Ids are the words that are handed to exceptions and records; names of nouns, fields and types are the others.
        HashSet<string> others =
        [
            "SipAccount", "SipCall", "SipCallDetailRecord", "SipCallForwarding", "SipCallHistory", "SipCallId", "SipCallStatus", "SipCallVariable", "SipCommand", "SipConference", "SipDevice",
            "SipDtmf", "SipEvent", "SipGateway", "SipMessage", "SipProvisioning", "SipPushNotification", "SipQueue", "SipRecording", "SipRegistration", "SipRoute", "SipServer",
            "SipServerConfiguration", "SipSimulator", "SipSpace", "SipStatistic", "SipStatus", "SipUri",
        ];
        string[] found = [.. Sources.Where(f => Path.GetFileName(f) != "ErrorActions.cs").SelectMany(f => Word().Matches(Code(f)).Select(m => m.Groups[1].Value)).Where(w => !others.Contains(w)).Distinct().Order(StringComparer.Ordinal)];
        Assert.True(found.Length > 90, $"{found.Length} ids found");
        Assert.Equal(found, ErrorTable.Rows.Select(r => r.Id).Order(StringComparer.Ordinal));
        Assert.Equal(found, ((IEnumerable<string>)Module().GetType("IfBus.Sip.PowerShell.Hosting.ErrorActions")!.GetProperty("Ids")!.GetValue(null)!).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Provoked))]
    public void Provoked_it_reads_so(string id)
    {
        ErrorRow row = ErrorTable.Rows.Single(r => r.Id == id);
        using var module = new ModuleRunspace();
        ErrorRecord error = row.Fail!(module);
        Assert.Equal(id, error.FullyQualifiedErrorId.Split(',')[0]);
        // A host or a path without a server is one that cannot be connected to.
        if (id.EndsWith("NotFound", StringComparison.Ordinal) && id is not ("SipServerNotFound" or "SipHttpPathNotFound")) Assert.Equal(ErrorCategory.ObjectNotFound, error.CategoryInfo.Category);
        Reads(row.Text, error);
    }

    /// <summary>Those that take a server in a state that no simulator can be brought to: their text stands in the source as it is here.</summary>
    [Theory]
    [MemberData(nameof(Read))]
    public void In_the_source_it_reads_so(string id)
    {
        ErrorRow row = ErrorTable.Rows.Single(r => r.Id == id);
        Assert.Contains(Sources, f => Code(f) is var code && code.Contains(row.Source!, StringComparison.Ordinal) && code.Contains($"\"{id}\"", StringComparison.Ordinal));
        string text = row.Text.Replace("<call>", "c-1", StringComparison.Ordinal);
        Reads(row.Text, Record(new SipConnectionException(text, errorId: id) { Server = text.Contains("pbx1", StringComparison.Ordinal) ? "pbx1" : null }));
    }

    /// <summary>What the platform throws where nobody expected it: words, and no names of types.</summary>
    [Theory]
    [MemberData(nameof(Faults))]
    public void Unexpected_faults_are_told_in_words(Exception fault, string words)
    {
        ErrorRecord error = Record(fault);
        Assert.Equal("SipUnexpected", error.FullyQualifiedErrorId);
        Reads($"This failed in a way that the module does not expect: {words}.", error);
    }

    public static TheoryData<Exception, string> Faults => new()
    {
        { new ObjectDisposedException("System.Net.Sockets.NetworkStream"), "it was closed meanwhile" },
        { new AggregateException(new SocketException((int)SocketError.ConnectionReset)), "the other side cut it (connection reset)" },
        { new SocketException((int)SocketError.HostNotFound), "the host name is not known" },
        { new IOException("Unable to read data from the transport connection: x.", new SocketException((int)SocketError.TimedOut)), "no answer (timed out)" },
        { new UnauthorizedAccessException("Access to the path '/etc/key.pem' is denied."), "Access to the path '/etc/key.pem' is denied" },
        { new FileNotFoundException("x", "/etc/ca.pem"), "there is no file '/etc/ca.pem'" },
        { new DirectoryNotFoundException("x"), "the folder is not there" },
        { new System.Security.Authentication.AuthenticationException("Authentication failed, see inner exception."), "the TLS handshake failed" },
        { new InvalidOperationException("Object reference not set to an instance of an object."), "a fault of the module or of .NET that has no better name" },
        { new InvalidCastException("Unable to cast object of type 'System.String' to type 'System.Int32'."), "a fault of the module or of .NET that has no better name" },
        { new InvalidOperationException("net_http_operation_started"), "a fault of the module or of .NET that has no better name" },
        { Json(), "it is no valid JSON (line 1, byte 2)" },
    };

    [Fact]
    public void What_was_given_up_says_so() => Reads("It was given up before it was done.", Record(new OperationCanceledException()));

    private static JsonException Json()
    {
        try
        {
            using var _ = JsonDocument.Parse("{x");
            throw new InvalidOperationException("It was valid.");
        }
        catch (JsonException e)
        {
            return e;
        }
    }

    private static void Reads(string text, ErrorRecord error)
    {
        string shown = error.ToString();
        Assert.Matches(ErrorTable.Pattern(text), shown);
        Assert.False(Platform().IsMatch(shown), shown);
        Assert.Matches(@"^[A-Z0-9a-z'-].*[.!?)]$", shown);
        string action = error.ErrorDetails.RecommendedAction;
        Assert.False(string.IsNullOrWhiteSpace(action), "nothing to do about it");
        Assert.False(Platform().IsMatch(action), action);
    }

    private static ErrorRecord Record(Exception exception) =>
        (ErrorRecord)Module().GetType("IfBus.Sip.PowerShell.Hosting.Errors")!.GetMethod("Record")!.Invoke(null, [exception, null, null])!;

    private static Assembly Module() => Assembly.LoadFrom(Path.Combine(Path.GetDirectoryName(Repository.StagedModule)!, "bin", "IfBus.Sip.PowerShell.dll"));

    private static string Code(string file) => Comment().Replace(File.ReadAllText(file), "");

    [GeneratedRegex(@"(?<!nameof\()""(Sip[A-Z][A-Za-z]+)""")]
    private static partial Regex Word();

    [GeneratedRegex(@"^\s*//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\b(System|Microsoft|Interop|IfBus\.Sip)\.[A-Z]|\w+Exception\b|inner exception|\bnet_\w+|^\s+at ", RegexOptions.Multiline)]
    private static partial Regex Platform();
}
