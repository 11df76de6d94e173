using System.Management.Automation;

namespace IfBus.Sip.Shell;

/// <summary>The engine package has no Utility and Management cmdlets. Calling one says so, and what to use.</summary>
internal static class MissingCommands
{
    private static readonly Dictionary<string, string> Instead = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Sort-Object"] = "[Linq.Enumerable]::OrderBy, or sort in pwsh",
        ["Select-Object"] = "ForEach-Object { $_.Property }, or an index: @(...)[0]",
        ["Measure-Object"] = "@(...).Count",
        ["Group-Object"] = "a hash table that counts",
        ["Export-Csv"] = "ForEach-Object { \"$($_.CallId),$($_.State)\" } > file",
        ["Import-Csv"] = "[IO.File]::ReadLines(file) | ForEach-Object { $_.Split(',') }",
        ["ConvertTo-Json"] = "[Text.Json.JsonSerializer]::Serialize($object)",
        ["ConvertFrom-Json"] = "[Text.Json.JsonDocument]::Parse($text)",
        ["Format-Table"] = "nothing: objects are shown as tables by themselves",
        ["Format-List"] = "nothing: give one property after the other with ForEach-Object",
        ["Start-Sleep"] = "[Threading.Thread]::Sleep(milliseconds), or Wait-SipCall",
        ["Get-Date"] = "[DateTime]::Now",
        ["New-TimeSpan"] = "[TimeSpan]::FromHours(2)",
        ["Write-Host"] = "Write-Output, or just the text",
        ["Write-Output"] = "just the value",
        ["ConvertTo-SecureString"] = "[Net.NetworkCredential]::new('', 'secret').SecurePassword",
        ["Get-Credential"] = "[pscredential]::new('user', [Net.NetworkCredential]::new('', 'secret').SecurePassword)",
        ["New-Object"] = "[Type]::new(...)",
        ["Get-Content"] = "[IO.File]::ReadAllLines(path)",
        ["Set-Content"] = "[IO.File]::WriteAllText(path, text)",
        ["Out-File"] = "[IO.File]::WriteAllText(path, text)",
        ["Out-String"] = "\"$object\"",
        ["Get-ChildItem"] = "[IO.Directory]::GetFiles(path)",
        ["Get-Random"] = "[Random]::Shared.Next()",
        ["Export-Clixml"] = "[Management.Automation.PSSerializer]::Serialize($object)",
        ["Import-Clixml"] = "[Management.Automation.PSSerializer]::Deserialize($text)",
    };

    /// <summary>Called by the engine when it knows no command of a name.</summary>
    public static void Explain(object? sender, CommandLookupEventArgs lookup)
    {
        // The engine tries a name without a verb with Get- before it.
        if (!Instead.TryGetValue(lookup.CommandName, out string? other)) return;
        string message = $"{lookup.CommandName} is not in this shell: the PowerShell engine package brings no Utility and Management cmdlets. Use pwsh with the module, or here: {other}.";
        lookup.CommandScriptBlock = ScriptBlock.Create($"throw [System.Management.Automation.CommandNotFoundException]::new('{CodeEscape(message)}')");
        lookup.StopSearch = true;
    }

    private static string CodeEscape(string text) => System.Management.Automation.Language.CodeGeneration.EscapeSingleQuotedStringContent(text);
}
