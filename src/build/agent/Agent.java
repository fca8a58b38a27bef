import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;

/**
 * Leads a JVM inside a taped build to BuildKit's proxy, whose address is known in the step only, and lets it trust the
 * proxy's certificate, the file that is the agent's argument. What the program's own options say stays.
 *
 * agent.jar is made of this file by the script `make` beside it.
 */
public final class Agent {
    private static final String PASSWORD = "changeit";

    public static void premain(String certificate) {
        try {
            lead("http", System.getenv("http_proxy"));
            lead("https", System.getenv("https_proxy"));
            // Maven's resolver asks no system property unless it is told to.
            set("aether.connector.http.useSystemProperties", "true");
            trust(certificate);
        } catch (Exception error) {
            System.err.println("repro: the JVM is not led to the proxy: " + error);
        }
    }

    private static void set(String name, String value) {
        if (System.getProperty(name) == null) {
            System.setProperty(name, value);
        }
    }

    private static void lead(String scheme, String proxy) throws Exception {
        if (proxy == null || proxy.isEmpty() || System.getProperty(scheme + ".proxyHost") != null) {
            return;
        }
        URI uri = new URI(proxy);
        System.setProperty(scheme + ".proxyHost", uri.getHost());
        System.setProperty(scheme + ".proxyPort", String.valueOf(uri.getPort()));
    }

    /** Everything goes through the proxy, so there is nobody else to trust. */
    private static void trust(String path) throws Exception {
        File certificate = new File(path);
        if (System.getProperty("javax.net.ssl.trustStore") != null || !certificate.canRead()) {
            return;
        }
        KeyStore store = KeyStore.getInstance("JKS");
        store.load(null, null);
        try (InputStream in = new FileInputStream(certificate)) {
            int number = 0;
            for (Certificate one : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                store.setCertificateEntry("proxy" + number++, one);
            }
        }
        // No part of a layer.
        File file = File.createTempFile("repro", ".jks", new File("/dev/shm"));
        file.deleteOnExit();
        try (OutputStream out = new FileOutputStream(file)) {
            store.store(out, PASSWORD.toCharArray());
        }
        System.setProperty("javax.net.ssl.trustStore", file.getPath());
        System.setProperty("javax.net.ssl.trustStoreType", "JKS");
        System.setProperty("javax.net.ssl.trustStorePassword", PASSWORD);
    }
}
