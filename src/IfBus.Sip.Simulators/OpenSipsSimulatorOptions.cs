namespace IfBus.Sip.Simulators;

/// <summary>How a simulated OpenSIPS is set up.</summary>
public sealed class OpenSipsSimulatorOptions : SimulatorOptions
{
    /// <summary>The defaults: 3.6.8, as the server comes without any login.</summary>
    public OpenSipsSimulatorOptions()
    {
        Version = "3.6.8";
        User = "ifbus";
    }

    /// <summary>mi_http's root, with a slash before it.</summary>
    public string Path { get; init; } = "/mi";

    /// <summary>httpd's receive_buf_size: bytes of a request. OpenSIPS's own default is 1024.</summary>
    public int ReceiveBuffer { get; init; } = 65536;

    /// <summary>httpd's buf_size: bytes of a reply.</summary>
    public int ReplyBuffer { get; init; } = 2 * 1024 * 1024;

    /// <summary>httpd's conn_timeout: an idle connection is closed after it, once another one makes the server look.</summary>
    public TimeSpan ConnectionTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a dialog that is over stays in the list.</summary>
    public TimeSpan EndedTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>False: b2b_logic has no server_address; no call between two addresses is made, and each try leaves a dead entry in b2b_list.</summary>
    public bool HasServerAddress { get; init; } = true;

    /// <summary>MI commands that the server has not, as if their modules were not loaded.</summary>
    public IReadOnlyList<string> MissingCommands { get; init; } = [];

    /// <summary>Events that the server has not.</summary>
    public IReadOnlyList<string> MissingEvents { get; init; } = [];

    /// <summary>Numbers that the list of registrations shows. Every other number is found too, except those that begin with nosuch.</summary>
    public IReadOnlyList<string> Registrations { get; init; } = ["1001", "1002", "answer", "busy", "ring"];
}
