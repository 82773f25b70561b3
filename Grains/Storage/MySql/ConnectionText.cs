using MySqlConnector;

namespace Broker.Grains.Storage.MySql;

/// <summary>What others may know of a connection string without knowing the driver.</summary>
internal static class ConnectionText
{
    /// <summary>Orleans' name for the driver.</summary>
    public const string OrleansInvariant = "MySql.Data.MySqlConnector";

    /// <summary>Why it cannot be used, without repeating it; null if it can.</summary>
    public static string? Fault(string connectionString)
    {
        try
        {
            var parts = new MySqlConnectionStringBuilder(connectionString);
            return parts.Server.Length == 0 ? "it names no Server" : parts.Database.Length == 0 ? "it names no Database" : null;
        }
        catch (Exception error) when (error is ArgumentException or FormatException or OverflowException or InvalidCastException)
        {
            // The reason would repeat a part, which may be that of a password with a semicolon in it.
            return "it must consist of `Name=value;` pairs that MySqlConnector knows, values with a semicolon in quotation marks";
        }
    }

    /// <summary>The same with another password.</summary>
    public static string WithPassword(string connectionString, string password) => new MySqlConnectionStringBuilder(connectionString) { Password = password }.ToString();

    /// <summary>The database's host, the first if there are several.</summary>
    public static string Host(string connectionString) => new MySqlConnectionStringBuilder(connectionString).Server.Split(',')[0].Trim();

    /// <summary>Where the database is, for people.</summary>
    public static string Describe(string connectionString)
    {
        var parts = new MySqlConnectionStringBuilder(connectionString);
        return $"database {parts.Database} on {parts.Server}:{parts.Port}";
    }
}
