using System.Management.Automation;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace IfBus.Sip.PowerShell.Profiles;

/// <summary>
/// The file of registered servers: read as a whole, written to a file beside it that then takes its place, by one writer
/// at a time. What it holds that we do not know stays as it is; a file that cannot be read is never written over.
/// </summary>
internal sealed class ProfileFile
{
    private const int Version = 1;
    private const long Longest = 4 * 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly JsonSerializerOptions Written = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string _folder;

    private ProfileFile(string folder)
    {
        _folder = folder;
        Path = System.IO.Path.Combine(folder, "servers.json");
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>The file of this user, or that in the folder which IFBUS_SIP_HOME names.</summary>
    public static ProfileFile OfUser()
    {
        if (Environment.GetEnvironmentVariable("IFBUS_SIP_HOME") is { Length: > 0 } given) return new ProfileFile(System.IO.Path.GetFullPath(given));
        string home = Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        if (home.Length == 0) throw new ProfileException("SipProfileFolderUnknown", ErrorCategory.ObjectNotFound, "This user has no folder for settings.");
        return new ProfileFile(System.IO.Path.Combine(home, "IfBus.Sip"));
    }

    /// <summary>The servers of the file, by name without regard to case; empty if there is no file.</summary>
    public IReadOnlyDictionary<string, JsonObject> Read()
    {
        JsonObject root = Load();
        return Servers(root).ToDictionary(s => s.Key, s => s.Value as JsonObject ?? throw Invalid($"the server '{SipText.Printable(s.Key)}' is no object"), StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Changes the servers of the file. The change sees them as they are now and says whether anything is to be written.</summary>
    public void Change(Func<JsonObject, bool> change)
    {
        try
        {
            MakeFolder();
            using FileStream gate = Enter();
            JsonObject root = Load();
            if (change(Servers(root))) Write(root);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProfileException("SipProfileFileNotWritten", ErrorCategory.WriteError, $"{Path} cannot be written: {SipText.Reason(e)}. Nothing was changed.", e);
        }
    }

    /// <summary>The error for a file that cannot be used.</summary>
    public ProfileException Invalid(string what, Exception? inner = null) =>
        new("SipProfileFileInvalid", ErrorCategory.InvalidData, $"{Path} cannot be used: {what}. It was left as it is.", inner);

    private JsonObject Load()
    {
        byte[] bytes;
        try
        {
            var info = new FileInfo(Path);
            if (!info.Exists) return new JsonObject { ["version"] = Version, ["servers"] = new JsonObject() };
            if (info.Length > Longest) throw Invalid($"it is longer than {Longest} bytes");
            bytes = File.ReadAllBytes(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid("it cannot be read: " + SipText.Reason(e), e);
        }

        try
        {
            ReadOnlySpan<byte> text = bytes.AsSpan().StartsWith("\uFEFF"u8) ? bytes.AsSpan(3) : bytes;
            var root = JsonNode.Parse(text, new JsonNodeOptions { PropertyNameCaseInsensitive = true }, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Disallow, MaxDepth = 16 }) as JsonObject;
            if (root is null) throw Invalid("it holds no object");
            if (root["version"] is not JsonValue stated || !stated.TryGetValue(out int version) || version < 1) throw Invalid("it does not say its version ('version': 1)");
            if (version > Version) throw Invalid($"it was written by a newer version of the module (format {version}, this one knows {Version})");
            // The nodes are made late, and a name that is there twice is seen only then.
            foreach (KeyValuePair<string, JsonNode?> server in Servers(root)) _ = (server.Value as JsonObject)?.Count;
            return root;
        }
        catch (JsonException e)
        {
            // The message of the library says the position once more, in its own way.
            throw Invalid($"line {(e.LineNumber ?? 0) + 1}, byte {(e.BytePositionInLine ?? 0) + 1}: {SipText.Printable(e.Message.Split(" Path:")[0].Split(" LineNumber:")[0])}".TrimEnd('.'), e);
        }
        catch (ArgumentException e)
        {
            throw Invalid("a name stands in it twice: " + SipText.Printable(e.Message), e);
        }
    }

    private JsonObject Servers(JsonObject root)
    {
        if (root["servers"] is JsonObject servers) return servers;
        throw Invalid("'servers' is no object");
    }

    private void MakeFolder()
    {
        if (Directory.Exists(_folder)) return;
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(_folder);
        else Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    // Two who read, change and write at once would lose one change. The lock lives as long as its process.
    private FileStream Enter()
    {
        long begin = Environment.TickCount64;
        while (true)
        {
            try
            {
                return new FileStream(Path + ".lock", Options(FileMode.OpenOrCreate));
            }
            catch (IOException e) when (e is not (DirectoryNotFoundException or PathTooLongException))
            {
                if (Environment.TickCount64 - begin > Patience.TotalMilliseconds)
                    throw new ProfileException("SipProfileFileBusy", ErrorCategory.ResourceBusy, $"{Path} is being written by another process for more than {Patience.TotalSeconds:0} s. Nothing was changed.", e);
                Thread.Sleep(20);
            }
        }
    }

    private void Write(JsonObject root)
    {
        string beside = $"{Path}.{Environment.ProcessId}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = new FileStream(beside, Options(FileMode.CreateNew)))
            {
                stream.Write(System.Text.Encoding.UTF8.GetBytes(root.ToJsonString(Written) + "\n"));
                stream.Flush(flushToDisk: true);
            }

            File.Move(beside, Path, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
    }

    // For this user's eyes only, from the first byte.
    private static FileStreamOptions Options(FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return options;
    }
}
