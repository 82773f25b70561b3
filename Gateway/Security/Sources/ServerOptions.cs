namespace Broker.Gateway.Security.Sources;

/// <summary>A server that knows users.</summary>
internal abstract class ServerOptions : SourceOptions
{
    /// <summary>Host and port, several with commas where there may be several; empty is none.</summary>
    public string Server { get; set; } = "";

    /// <summary>Who the broker is there.</summary>
    public string UserName { get; set; } = "";

    public string Password { get; set; } = "";

    /// <summary>A file that holds the password, instead of <see cref="Password"/>.</summary>
    public string PasswordFile { get; set; } = "";

    public override IEnumerable<(string Key, string File)> Files => [.. base.Files, (nameof(PasswordFile), PasswordFile)];

    /// <summary>The password that is to be used.</summary>
    /// <exception cref="IOException">Its file cannot be read.</exception>
    public string ReadPassword() => PasswordFile.Length == 0 ? Password : File.ReadAllText(PasswordFile).TrimEnd('\r', '\n');

    /// <summary>The servers' places.</summary>
    /// <param name="usualPort">The port where none is written.</param>
    /// <exception cref="FormatException">One is written badly.</exception>
    public IReadOnlyList<(string Host, int Port)> Servers(int usualPort) =>
        [.. Server.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(one => HostPort.Parse(one, usualPort))];
}
